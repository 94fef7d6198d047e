import type { Flag, FlagDefinition, FlagEvent } from '@tidegate/contracts';
import { canonicalJson, type Fact } from '@tidegate/kernel';
import { relying } from './hold.ts';
import { scheduledAfter } from './schedule.ts';
import { isLiving, type LivingFlag, storedAs, type StoredFlag, viewOf } from './stored-flag.ts';

export const equal = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);

/** What decides an answer; the rest of a definition only describes the flag to people. */
function served(definition: FlagDefinition): Partial<FlagDefinition> {
  const { owner: _owner, description: _about, tags: _tags, expiresAt: _at, ...rest } = definition;
  return rest;
}

/** True if nobody is answered differently. */
export const servesAlike = (before: FlagDefinition, after: FlagDefinition): boolean =>
  before === after || equal(served(before), served(after));

/** Copies facts into the state, and never refuses. */
export function evolve(flag: StoredFlag, fact: Fact<FlagEvent>): StoredFlag {
  const next = evolved(flag, fact);
  if (!isLiving(next)) return next;
  const since = isLiving(flag) && isSame(flag, next) ? flag.servedSince : fact.metadata.at;
  return { ...next, ...(since === undefined ? {} : { servedSince: since }) };
}

const isSame = (before: LivingFlag, after: LivingFlag): boolean =>
  before.status === after.status && servesAlike(before.definition, after.definition);

function evolved(flag: StoredFlag, fact: Fact<FlagEvent>): StoredFlag {
  const version = flag.version + 1;
  if (fact.type === 'FlagDeleted') return { status: 'deleted', version };
  if (fact.type === 'FlagRecovered')
    return fact.data.after ? storedAs(fact.data.after, version) : { status: 'deleted', version };
  if (fact.type === 'FlagCreated' || fact.type === 'FlagChanged' || fact.type === 'FlagRestored')
    return storedAs(fact.data.after, version);
  const now = viewOf(flag);
  return now ? storedAs(after(now, fact), version) : flag;
}

type Whole = 'FlagDeleted' | 'FlagRecovered' | 'FlagCreated' | 'FlagChanged' | 'FlagRestored';
type Partly = Exclude<FlagEvent, { type: Whole }>;

function after(flag: Flag, fact: Fact<Partly>): Flag {
  if (fact.type === 'FlagReleased' || fact.type === 'FlagHeld') return relying(flag, fact);
  const { schedule: _schedule, disabled, ...rest } = flag;
  const now = { ...rest, ...scheduledAfter(flag, fact) };
  switch (fact.type) {
    case 'FlagDisabled':
      return { ...now, disabled: fact.data.disabled };
    case 'FlagEnabled':
      return now;
    case 'FlagScheduled':
    case 'FlagScheduleSkipped':
      return disabled ? { ...now, disabled } : now;
  }
}
