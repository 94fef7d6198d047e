import { type DisableFlag, flagKey } from '@tidegate/contracts';
import { type Answer, isAppError, reject, type Rejection } from '@tidegate/kernel';
import type { Documents } from '@tidegate/store';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import { allIn } from '../reference/references.handler.ts';
import type { ChangeFlag } from './change-flag.handler.ts';
import { unknown } from './flag-refusals.ts';
import { splitFlagId } from './flags.ts';
import { isLiving, type StoredFlag } from './stored-flag.ts';

/** What became of one flag of many. */
export interface Disabled {
  readonly key: string;
  /** `failed`: the store did not take it; ask again. */
  readonly outcome: Answer['outcome'] | 'failed';
  readonly version?: number;
  readonly published?: boolean;
  readonly code?: string;
  readonly message?: string;
}

export interface DisableFlags {
  /** The flags with the tag. Refused ENVIRONMENT_UNKNOWN; TAG_UNKNOWN when no flag has it. */
  tagged(environment: string, tag: string): Promise<readonly string[] | Rejection>;
  /**
   * All at once: while the bus is away each answer takes seconds, and no kill waits for another. Refused
   * ENVIRONMENT_UNKNOWN.
   */
  disable(
    environment: string,
    keys: readonly string[],
    commandFor: (key: string) => DisableFlag,
  ): Promise<readonly Disabled[] | Rejection>;
}

export interface DisableFlagsParts {
  readonly flags: Documents<StoredFlag>;
  readonly environments: Pick<Environments, 'has'>;
  readonly changeFlag: ChangeFlag;
}

export function createDisableFlags(parts: DisableFlagsParts): DisableFlags {
  const { flags, environments, changeFlag } = parts;
  return {
    async tagged(environment, tag) {
      if (!(await environments.has(environment))) return environmentUnknown(environment);
      const living = await allIn(flags, environment, { living: true });
      const keys = living
        .filter(({ state }) => isLiving(state) && state.definition.tags.includes(tag))
        .map(({ id }) => splitFlagId(id).key);
      return keys.length > 0
        ? keys
        : reject(
            'TAG_UNKNOWN',
            `No flag in ${environment} has the tag ${tag}: nothing was disabled.`,
          );
    },
    async disable(environment, keys, commandFor) {
      if (!(await environments.has(environment))) return environmentUnknown(environment);
      return Promise.all(
        [...new Set(keys)].map((key) => disableOne(changeFlag, environment, key, commandFor)),
      );
    },
  };
}

async function disableOne(
  changeFlag: ChangeFlag,
  environment: string,
  key: string,
  commandFor: (key: string) => DisableFlag,
): Promise<Disabled> {
  if (!flagKey.safeParse(key).success) {
    const { code, message } = unknown({ environment, key });
    return { key, outcome: 'refused', code, message };
  }
  try {
    const { answer, published } = await changeFlag(commandFor(key));
    return { key, ...answer, published };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { code } = error;
    return { key, outcome: 'failed', code, message: 'The store did not take it; ask again.' };
  }
}
