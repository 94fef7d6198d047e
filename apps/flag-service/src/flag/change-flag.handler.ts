import type { FlagEvent } from '@tidegate/contracts';
import type { Decider } from '@tidegate/kernel';
import type { Document, Documents, Execute, Outcome } from '@tidegate/store';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import { flagDecider } from './flag.ts';
import { flagId, stateRecord } from './flags.ts';
import type { AnyFlagCommand } from './recover-flag.ts';
import type { StoredFlag } from './stored-flag.ts';

export type ChangeFlag = (command: AnyFlagCommand) => Promise<Outcome<StoredFlag>>;

/**
 * The one way a flag changes. `saved` is told of each document as soon as it is saved, before the bus is:
 * whoever watches this process sees a kill although the bus is down.
 */
export function createChangeFlag(
  execute: Execute,
  flags: Documents<StoredFlag>,
  environments: Pick<Environments, 'has'>,
  saved: (document: Document<StoredFlag>) => void,
): ChangeFlag {
  const documents = telling(flags, saved);
  return async (command) => {
    const { environment, key } = command.data;
    const decider = (await environments.has(environment)) ? flagDecider : nowhere;
    return execute({ documents, decider, stateRecord }, flagId(environment, key), command);
  };
}

/** A refusal is answered and remembered like any other. */
const nowhere: Decider<StoredFlag, AnyFlagCommand, FlagEvent> = {
  ...flagDecider,
  decide: ({ data }) => environmentUnknown(data.environment),
};

const telling = <S>(
  documents: Documents<S>,
  saved: (document: Document<S>) => void,
): Documents<S> => ({
  name: documents.name,
  epoch: documents.epoch,
  load: (id) => documents.load(id),
  async save(id, change, expectedToken) {
    const document = await documents.save(id, change, expectedToken);
    saved(document);
    return document;
  },
  clear: (id, seqs) => documents.clear(id, seqs),
  owing: (limit) => documents.owing(limit),
  list: (query) => documents.list(query),
  claimDue: (now, forMs, limit) => documents.claimDue(now, forMs, limit),
});
