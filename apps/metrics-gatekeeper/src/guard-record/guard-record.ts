import type { Guard, Plan } from '@tidegate/contracts';

/** What a guard did in rollouts: in how many, each counted once. */
export const deeds = ['judged', 'breached', 'wouldHaveBreached', 'heldForData'] as const;
export type Deed = (typeof deeds)[number];

/** When a guard did something in one rollout for the first time, ms since 1970. */
type Times = Readonly<Partial<Record<Deed, number>>>;

interface Seen {
  readonly rollout: string;
  readonly startedAt: number;
  readonly guards: Readonly<Record<string, Times>>;
}

interface Sums {
  readonly counts: Readonly<Record<Deed, number>>;
  readonly last: Times;
  /** The rollout in which it last breached, or would have. */
  readonly lastFiredIn?: string | undefined;
}

interface KnownGuard {
  readonly name: string;
  readonly judge: Guard['judge'];
  readonly shadow: boolean;
}

/**
 * What the guards of one plan have done, as events tell it: plain JSON of bounded size. The newest rollouts stand singly,
 * so that an event that comes again changes nothing; older ones are summed up, and what comes of them later is not
 * counted any more.
 */
export interface GuardRecord {
  readonly plan?: string | undefined;
  /** Of the newest version. */
  readonly version: number;
  readonly guards: readonly KnownGuard[];
  /** Newest last. */
  readonly rollouts: readonly Seen[];
  readonly summed: Readonly<Record<string, Sums>>;
  readonly summedUntil?: { readonly startedAt: number; readonly rollout: string } | undefined;
}

export const emptyRecord: GuardRecord = { version: 0, guards: [], rollouts: [], summed: {} };

export const ROLLOUTS_KEPT = 50;
const GUARDS_KEPT = 200;

/** A version of the plan was put: these are its guards. Older versions change nothing. */
export function withPlan(record: GuardRecord, plan: Plan, version: number): GuardRecord {
  if (version <= record.version) return record;
  const guards = plan.guards.map(({ name, judge, shadow }) => ({ name, judge, shadow }));
  return { ...record, plan: plan.plan, version, guards };
}

/** Something that guards did in a rollout. */
export interface Done {
  readonly rollout: string;
  readonly startedAt: number;
  readonly deed: Deed;
  readonly guards: readonly string[];
  readonly at: number;
}

export function withDone(record: GuardRecord, plan: string, done: Done): GuardRecord {
  if (done.guards.length === 0 || isSummed(record, done)) return record;
  const known = record.rollouts.find(({ rollout }) => rollout === done.rollout);
  const { rollout, startedAt } = done;
  const seen = marked(known ?? { rollout, startedAt, guards: {} }, done);
  if (seen === known) return record;
  const others = record.rollouts.filter((each) => each !== known);
  const rollouts = [...others, seen].sort(byStart);
  return bounded({ ...record, plan, rollouts });
}

function marked(seen: Seen, { deed, guards, at }: Done): Seen {
  const isNew = guards.filter((guard) => seen.guards[guard]?.[deed] === undefined);
  if (isNew.length === 0) return seen;
  const added = isNew.map((guard) => [guard, { ...seen.guards[guard], [deed]: at }] as const);
  return { ...seen, guards: { ...seen.guards, ...Object.fromEntries(added) } };
}

type Start = Pick<Seen, 'startedAt' | 'rollout'>;
const byStart = (a: Start, b: Start): number =>
  a.startedAt - b.startedAt || (a.rollout < b.rollout ? -1 : 1);

const isSummed = ({ summedUntil }: GuardRecord, { rollout, startedAt }: Done): boolean =>
  summedUntil !== undefined &&
  (rollout === summedUntil.rollout || byStart({ rollout, startedAt }, summedUntil) < 0);

function bounded(record: GuardRecord): GuardRecord {
  const [oldest] = record.rollouts;
  if (!oldest || record.rollouts.length <= ROLLOUTS_KEPT) return record;
  const { rollout, startedAt, guards } = oldest;
  const summed = { ...record.summed };
  for (const [guard, times] of Object.entries(guards))
    summed[guard] = sumOf(summed[guard], times, rollout);
  return {
    ...record,
    rollouts: record.rollouts.slice(1),
    summed: newestOf(summed),
    summedUntil: { rollout, startedAt },
  };
}

/** Guards that no version has had for long give way to others. */
function newestOf(summed: Readonly<Record<string, Sums>>): GuardRecord['summed'] {
  const all = Object.entries(summed);
  const last = ([, { last: times }]: (typeof all)[number]) => Math.max(...Object.values(times));
  return Object.fromEntries(all.sort((a, b) => last(b) - last(a)).slice(0, GUARDS_KEPT));
}

const none: Sums = {
  counts: { judged: 0, breached: 0, wouldHaveBreached: 0, heldForData: 0 },
  last: {},
};

function sumOf(before: Sums = none, times: Times, rollout: string): Sums {
  const counts = { ...before.counts };
  const last: Partial<Record<Deed, number>> = { ...before.last };
  for (const deed of deeds) {
    const at = times[deed];
    if (at === undefined) continue;
    counts[deed] += 1;
    last[deed] = Math.max(last[deed] ?? 0, at);
  }
  const hasFired = times.breached !== undefined || times.wouldHaveBreached !== undefined;
  return { counts, last, lastFiredIn: hasFired ? rollout : before.lastFiredIn };
}

/** How a guard of a plan has done so far. */
export interface GuardSummary {
  readonly plan: string;
  readonly guard: string;
  /** Of the plan's newest version; absent if that has no such guard. */
  readonly judge?: Guard['judge'];
  readonly shadow?: boolean;
  /** In how many rollouts it was judged. */
  readonly rollouts: number;
  readonly breached: number;
  /** In how many it would have rolled back, had it not been in shadow. */
  readonly wouldHaveBreached: number;
  /** How many rollouts were held because its data were missing or wrong. */
  readonly heldForData: number;
  /** Whether it has ever breached, or would have: a guard that never has may not be able to. */
  readonly hasFired: boolean;
  readonly lastJudgedAt?: number;
  readonly lastFiredAt?: number;
  readonly lastFiredIn?: string;
}

/** The newest version's guards first, in its order, then those that only older ones had. */
export function summariesOf(record: GuardRecord): readonly GuardSummary[] {
  const sums: Record<string, Sums> = { ...record.summed };
  for (const { rollout, guards } of record.rollouts)
    for (const [guard, times] of Object.entries(guards))
      sums[guard] = sumOf(sums[guard], times, rollout);
  const known = new Map(record.guards.map((each) => [each.name, each]));
  const names = [...new Set([...known.keys(), ...Object.keys(sums)])];
  return names.map((guard) => summaryOf(record.plan ?? '', guard, known.get(guard), sums[guard]));
}

function summaryOf(
  plan: string,
  guard: string,
  known: KnownGuard | undefined,
  { counts, last, lastFiredIn }: Sums = none,
): GuardSummary {
  const fired = Math.max(last.breached ?? 0, last.wouldHaveBreached ?? 0);
  return {
    plan,
    guard,
    ...(known ? { judge: known.judge, shadow: known.shadow } : {}),
    rollouts: counts.judged,
    breached: counts.breached,
    wouldHaveBreached: counts.wouldHaveBreached,
    heldForData: counts.heldForData,
    hasFired: fired > 0,
    ...(last.judged === undefined ? {} : { lastJudgedAt: last.judged }),
    ...(fired > 0 ? { lastFiredAt: fired } : {}),
    ...(lastFiredIn === undefined ? {} : { lastFiredIn }),
  };
}
