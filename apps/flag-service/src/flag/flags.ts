import {
  type FlagDefinition,
  type FlagEvent,
  type FlagRecord,
  referencesOf,
  stateTopic,
} from '@tidegate/contracts';
import type { Revision } from '@tidegate/kernel';
import type { Aggregate, Collection } from '@tidegate/store';
import { usesOf } from '../reference/uses.ts';
import type { AnyFlagCommand } from './recover-flag.ts';
import { isLiving, type StoredFlag, viewOf } from './stored-flag.ts';

export const flagId = (environment: string, key: string): string => `${environment}/${key}`;

/** Names have no slash, so the ids of one environment stand together, in order of key. */
export function splitFlagId(id: string): { readonly environment: string; readonly key: string } {
  const slash = id.indexOf('/');
  return { environment: id.slice(0, slash), key: id.slice(slash + 1) };
}

/** Before there were rules and prerequisites, no flag had any. */
function withTargeting(state: unknown): StoredFlag {
  const flag = state as StoredFlag;
  if (!isLiving(flag)) return flag;
  const targeting: Partial<FlagDefinition> = flag.definition;
  return {
    ...flag,
    definition: {
      ...flag.definition,
      prerequisites: targeting.prerequisites ?? [],
      rules: targeting.rules ?? [],
    },
  };
}

export const flagCollection: Collection<StoredFlag> = {
  name: 'flags',
  schemaVersion: 2,
  upgrade: { 1: withTargeting },
  index: (flag) => ({
    living: isLiving(flag),
    ...(isLiving(flag) ? usesOf(referencesOf(flag.definition)) : {}),
    ...(isLiving(flag) && flag.schedule ? { dueAt: flag.schedule[0]?.at } : {}),
  }),
};

/** What views get of a document; undefined for one that never was a flag, where only refusals are remembered. */
export const recordOf = (
  id: string,
  { epoch, version }: Revision,
  flag: StoredFlag,
): FlagRecord | undefined =>
  flag.status === 'absent'
    ? undefined
    : { key: splitFlagId(id).key, epoch, version, flag: viewOf(flag) };

/** The record that every view reads, on the environment's own topic. */
export const stateRecord: NonNullable<
  Aggregate<StoredFlag, AnyFlagCommand, FlagEvent>['stateRecord']
> = (id, flag) => ({
  type: 'FlagState',
  data: { ...splitFlagId(id), flag: viewOf(flag) },
  topic: stateTopic(splitFlagId(id).environment),
});
