import {
  type Flag,
  type FlagDefinition,
  flagDefinition,
  type RolloutRef,
} from '@tidegate/contracts';
import { isDeeper, MAX_JSON_DEPTH, reject, type Rejection } from '@tidegate/kernel';
import type { Users } from '../reference/known.ts';
import { type Hold, isLiving, type StoredFlag } from './stored-flag.ts';

export interface Ref {
  readonly environment: string;
  readonly key: string;
}

export const unknown = ({ environment, key }: Ref): Rejection =>
  reject('FLAG_UNKNOWN', `There is no flag ${key} in ${environment}.`);

export const isDisabled = (
  { key }: Ref,
  { by, reason }: NonNullable<Flag['disabled']>,
): Rejection => reject('FLAG_DISABLED', `${key} was disabled by ${by}: ${reason}`);

export const held = ({ environment, key }: Ref, { rollout }: Hold): Rejection =>
  reject(
    'FLAG_HELD',
    `Rollout ${rollout.id} holds ${key} in ${environment}. Until it ends or an admin releases the flag, ` +
      'whom it reaches can only be changed by the rollout; disabling always works.',
  );

/** Several rollouts may rely on a flag at once: each is named. */
export const reliedOn = ({ environment, key }: Ref, rollouts: readonly RolloutRef[]): Rejection => {
  const names = rollouts.map(({ id }) => id).join(', ');
  const [rely, until] =
    rollouts.length === 1
      ? [`Rollout ${names} relies`, 'it ends']
      : [`Rollouts ${names} rely`, 'they end'];
  return reject(
    'FLAG_RELIED_ON',
    `${rely} on ${key} in ${environment}: it is a prerequisite. Until ${until} or an admin releases the flag, whom it ` +
      'reaches cannot be changed; disabling always works.',
  );
};

export const reliesOnItself = ({ key }: Ref, { id }: RolloutRef): Rejection =>
  reject(
    'FLAG_RELIES_ON_ITSELF',
    `Rollout ${id} changes ${key}, and the prerequisites of ${key} lead back to it: it cannot rely on what it changes.`,
  );

export const notHeld = ({ key }: Ref, { id }: RolloutRef, hold: Flag['hold']): Rejection =>
  reject(
    'FLAG_NOT_HELD',
    `Rollout ${id} does not hold ${key}; ${hold ? `rollout ${hold.rollout.id} does` : 'nothing does'}.`,
  );

export function generationOld(
  { id, generation }: RolloutRef,
  { rollout: known }: Pick<Hold, 'rollout'>,
): Rejection | undefined {
  if (generation >= known.generation) return undefined;
  return reject(
    'GENERATION_OLD',
    `Rollout ${id} is in generation ${known.generation}; this was sent in ${generation} and comes too late.`,
  );
}

export function versionConflict(
  { key, expectedVersion }: Ref & { readonly expectedVersion?: number | undefined },
  flag: StoredFlag,
): Rejection | undefined {
  const version = isLiving(flag) ? flag.version : 0;
  if (expectedVersion === undefined || expectedVersion === version) return undefined;
  return reject(
    'FLAG_VERSION_CONFLICT',
    version === 0
      ? `There is no flag ${key}, but version ${expectedVersion} was expected.`
      : expectedVersion === 0
        ? `There is a flag ${key} already, at version ${version}.`
        : `${key} is at version ${version}, not ${expectedVersion}: somebody changed it meanwhile.`,
  );
}

export function invalid(definition: FlagDefinition): Rejection | undefined {
  const problem = flagDefinition.safeParse(definition).error?.issues[0];
  return problem && reject('FLAG_INVALID', `${problem.path.join('.')}: ${problem.message}`);
}

const utf8 = new TextEncoder();
/** A change tells before and after in one message of at most 1 MiB: what was let in can always be changed back. */
const MAX_CHANGE_BYTES = 480 * 1_024;
/** Every program that asks for flags holds all of them: what people write has to stay small. */
export const MAX_DEFINITION_BYTES = 64 * 1_024;

export function tooLarge(
  definition: FlagDefinition,
  limit: number = MAX_CHANGE_BYTES,
): Rejection | undefined {
  const text = JSON.stringify(definition);
  if (isDeeper(text, MAX_JSON_DEPTH)) return tooDeep('FLAG_INVALID');
  const bytes = utf8.encode(text).length;
  if (bytes <= limit) return undefined;
  return reject(
    'FLAG_TOO_LARGE',
    `The definition has ${bytes} bytes; expected at most ${limit}. Long lists of users belong in a segment.`,
  );
}

/** What tells of it nests it deeper, and has to be read by everyone. */
export const tooDeep = (code: string): Rejection =>
  reject(code, `The definition nests objects and lists deeper than ${MAX_JSON_DEPTH} levels.`);

export const MAX_FLAGS = 5_000;

export const flagLimit = ({ environment }: Ref, count: number): Rejection | undefined =>
  count < MAX_FLAGS
    ? undefined
    : reject(
        'FLAG_LIMIT_REACHED',
        `${environment} has ${count} flags; at most ${MAX_FLAGS} are kept. Delete some that are not needed any more: tidegate flag stale.`,
      );

export function flagInUse({ environment, key }: Ref, { flags }: Users): Rejection | undefined {
  if (flags.length === 0) return undefined;
  return reject(
    'FLAG_IN_USE',
    `${key} in ${environment} is a prerequisite of ${flags.join(', ')}. Take it out of them first.`,
  );
}
