import type { Document, Documents, Execute, Outcome } from '@tidegate/store';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import type { FlagKnown } from '../reference/flag-known.handler.ts';
import { flagDecider, flagDeciderKnowing, type FlagDecider } from './flag.ts';
import { flagId, stateRecord } from './flags.ts';
import type { AnyFlagCommand } from './recover-flag.ts';
import type { StoredFlag } from './stored-flag.ts';

export type ChangeFlag = (command: AnyFlagCommand) => Promise<Outcome<StoredFlag>>;

export interface ChangeFlagParts {
  readonly execute: Execute;
  readonly flags: Documents<StoredFlag>;
  readonly environments: Pick<Environments, 'has'>;
  readonly known: FlagKnown;
  /**
   * Told of each document as soon as it is saved, before the bus is: whoever watches this process sees a kill
   * although the bus is down.
   */
  readonly saved: (document: Document<StoredFlag>) => void;
}

/** The one way a flag changes. */
export function createChangeFlag(parts: ChangeFlagParts): ChangeFlag {
  const { execute, environments, known } = parts;
  const documents = telling(parts.flags, parts.saved);
  return async (command) => {
    const { environment, key } = command.data;
    const decider = (await environments.has(environment))
      ? flagDeciderKnowing(await known(command))
      : nowhere;
    const aggregate = { documents, decider, stateRecord, ticks: TICKS };
    return execute(aggregate, flagId(environment, key), command);
  };
}

/** Made anew each time: they leave no mark, and one that changes nothing is not saved. */
const TICKS: readonly AnyFlagCommand['type'][] = ['RunSchedule'];

/** A refusal is answered and remembered like any other. */
const nowhere: FlagDecider = {
  ...flagDecider,
  decide: ({ data }) => environmentUnknown(data.environment),
};

/** Tells of each document as soon as it is saved. */
export const telling = <S>(
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
