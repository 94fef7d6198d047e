import type { FlagCommand, MessageDefinition } from '@tidegate/contracts';
import type { Rejection } from '@tidegate/kernel';
import { answer, commandFrom, type Exchange, type ServiceContext } from '@tidegate/platform';
import type { z } from 'zod';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import type { ChangeFlag } from './change-flag.handler.ts';
import { foundFlag, type FoundFlag } from './flag-queries.handler.ts';

/** What a write answers. */
export interface WrittenFlag extends FoundFlag {
  readonly changed: boolean;
  /** False while the bus is away: it is saved and in force here, and published as soon as the bus is back. */
  readonly published: boolean;
  /** The Idempotency-Key was used before: `changed` is what the first request did, and the flag is as it is now. */
  readonly repeated?: true;
}

/** Makes a command of a request and answers with the flag as it is then. */
export type WriteFlag = <T extends FlagCommand['type'], S extends z.ZodType<FlagCommand['data']>>(
  definition: MessageDefinition<T, S>,
  data: z.output<S>,
  asked: Exchange,
) => Promise<WrittenFlag | Rejection>;

export interface WriteFlagParts {
  readonly context: ServiceContext;
  readonly changeFlag: ChangeFlag;
  readonly environments: Pick<Environments, 'has'>;
}

export const createWriteFlag =
  ({ context, changeFlag, environments }: WriteFlagParts): WriteFlag =>
  async (definition, data, { caller, request, reply }) => {
    const { environment, key } = data;
    if (!(await environments.has(environment))) return environmentUnknown(environment);
    const command = commandFrom(context, definition, data, caller, request);
    const outcome = await changeFlag(command as unknown as FlagCommand);
    return answer(reply, outcome, {
      ...foundFlag(environment, key, outcome),
      changed: outcome.answer.outcome === 'changed',
      published: outcome.published,
      ...(outcome.repeated ? { repeated: true as const } : {}),
    });
  };
