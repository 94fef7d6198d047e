import type { Trouble, Truth } from './application.ts';
import { troubles } from './application.ts';
import type { Seeded } from './random.ts';
import { START_MS } from './sim.ts';

export const ENVIRONMENT = 'production';
export const FLAG = 'checkout-v2';
/** A flag without rollouts, that people make, change and delete. */
export const SIDE = 'side';
export const PLAN = 'widen';
export const ROLLOUT = 'r-1';
export const RIVAL = 'r-2';
/** The flag has `payments` as a prerequisite, `payments` perhaps `basket`; `invoices` has `payments` as well. */
export const PAYMENTS = 'payments';
export const BASKET = 'basket';
export const INVOICES = 'invoices';
/** A segment that the flag asks for; it may ask for `staff`. */
export const BETA = 'beta';
export const STAFF = 'staff';
/** Opens `payments` itself, or `invoices`. */
export const OTHER_PLAN = 'widen-other';
export const OTHER = 'r-3';

const wishes = [
  'pause',
  'resume',
  'promote',
  'rollback',
  'abort',
  'approve',
  'disable',
  'disable',
  'enable',
  'release',
  'release',
  'edit',
  'move',
  'put-back',
  'rival',
  'rival',
  'stop-run',
  'cancel-run',
  'breach-of-rollout',
  'breach-by-label',
  'breach-elsewhere',
  'make-side',
  'change-side',
  'delete-side',
] as const;
/** Where the flag refers to others. */
const referring = [
  'other',
  'other',
  'abort-other',
  'roll-back-other',
  'move-reference',
  'move-reference',
  'rewire-reference',
  'rewire-reference',
  'rewire-flag',
  'restore-reference',
  'disable-reference',
  'disable-reference',
  'mend-reference',
  'release-reference',
  'release-reference',
  'move-segment',
  'move-segment',
  'rewire-segment',
  'delete-segment',
  'release-segment',
  'release-segment',
] as const;
const faults = [
  'late-duplicate',
  'stale-command',
  'poison',
  'compaction',
  'power-cut',
  'service-down',
  'flags-away',
  'store-away',
  'bus-away',
  'cut-off',
  'lag',
] as const;
export const isAtReferences = (what: What): boolean => referring.some((each) => each === what);

export type What =
  | (typeof wishes)[number]
  | (typeof referring)[number]
  | (typeof faults)[number]
  | 'start'
  | 'gatekeeper-away';

export interface Happening {
  readonly what: What;
  /** ms after the begin. */
  readonly in: number;
  /** Of a fault that lasts. */
  readonly forMs: number;
}

/** What one rollout is about, and what happens to it. */
export interface Scenario {
  readonly plan: Readonly<Record<string, unknown>> & { readonly plan: string };
  readonly targets: readonly string[];
  readonly truth: Truth;
  /** Exposure of the flag before, in thousandths of a percent. */
  readonly before: number;
  readonly happenings: readonly Happening[];
  /** For how long faults happen. */
  readonly chaosMs: number;
  /** Whether the services project their histories, which takes its time. */
  readonly keepsHistory: boolean;
  /** The stages close if nobody looks after them for so long. */
  readonly closeIfSilentMs?: number;
  /** The flag refers to others, and so perhaps do they. */
  readonly refers?: { readonly deep: boolean; readonly other: typeof PAYMENTS | typeof INVOICES };
}

export const LIMIT = 0.01;

export function drawScenario(random: Seeded, isCalm: boolean): Scenario {
  const targets = random.chance(0.3)
    ? ['http://checkout-1:3000/metrics', 'http://checkout-2:3000/metrics']
    : ['http://checkout-1:3000/metrics'];
  const levels = random.pick([
    [10_000, 50_000, 100_000],
    [5_000, 100_000],
    [50_000],
    [25_000, 60_000],
    [1_000, 10_000, 100_000],
  ]);
  const calmAfterMs = random.between(20_000, 120_000);
  const happenings = drawHappenings(random, calmAfterMs, isCalm);
  const ends = happenings.map(({ in: begin, forMs }) => begin + forMs);
  const chaosMs = Math.max(calmAfterMs, ...ends);
  return {
    plan: drawPlan(random, targets, levels),
    targets,
    truth: drawTruth(random, levels, chaosMs),
    before: random.chance(0.3) ? Math.min(random.pick([1_000, 5_000]), levels[0] ?? 0) : 0,
    happenings,
    chaosMs,
    keepsHistory: random.chance(0.2),
  };
}

const SILENCE_MS = 30_000;

/**
 * In some worlds the stages close if nobody looks after them, and for longer than that nobody does. Drawn from numbers of
 * its own: the other worlds stay as they are.
 */
export function withSilence(scenario: Scenario, random: Seeded): Scenario {
  if (!random.chance(0.2)) return scenario;
  const away = {
    what: 'gatekeeper-away',
    in: random.between(5_000, scenario.chaosMs),
    forMs: random.between(SILENCE_MS, 5 * SILENCE_MS),
  } as const;
  const steps = (scenario.plan['steps'] as readonly object[]).map((step) =>
    'stage' in step ? { ...step, closeIfSilentFor: `${SILENCE_MS}ms` } : step,
  );
  return {
    ...scenario,
    plan: { ...scenario.plan, steps },
    happenings: [...scenario.happenings, away],
    chaosMs: Math.max(scenario.chaosMs, away.in + away.forMs),
    closeIfSilentMs: SILENCE_MS,
  };
}

/**
 * In some worlds the flag refers to others, at which people work meanwhile, and another rollout. Drawn from numbers of
 * its own, as above.
 */
export function withReferences(scenario: Scenario, random: Seeded): Scenario {
  if (!random.chance(0.3)) return scenario;
  const happenings = Array.from({ length: random.between(0, 5) }, (): Happening => ({
    what: random.pick(referring),
    in: random.chance(0.5) ? random.between(0, 4_000) : random.between(0, scenario.chaosMs),
    forMs: 0,
  }));
  return {
    ...scenario,
    happenings: [...scenario.happenings, ...happenings],
    refers: { deep: random.chance(0.5), other: random.pick([PAYMENTS, INVOICES]) },
  };
}

/** Nothing guards it: who is served by the flag that it opens is not what the applications count. */
export function otherPlan({ plan, refers }: Scenario) {
  const { checkEvery, pageAfter } = plan;
  const stage = (percentage: number) => ({ stage: `other-${percentage}`, percentage, hold: '5s' });
  return {
    plan: OTHER_PLAN,
    flag: refers?.other,
    checkEvery,
    pageAfter,
    steps: [stage(70), stage(90)],
  };
}

/** For how long nobody may have looked after anything, in all. */
export const gatekeeperAwayMs = ({ happenings }: Scenario): number =>
  happenings
    .filter(({ what }) => what === 'gatekeeper-away')
    .reduce((sum, { forMs }) => sum + forMs, 0);

function drawPlan(random: Seeded, targets: readonly string[], levels: readonly number[]) {
  const source = { scrape: targets };
  const where = { variant: 'on' };
  const every = random.pick([2, 5, 5]);
  // Without a gate, or so that a stage is left after about 110, and about 200 requests.
  const seen = random.pick([
    { gate: 'none' },
    { detect: '8%' },
    { detect: '8%' },
    { detect: '6%' },
  ]);
  const deadline = random.chance(0.3) ? { deadline: '45s' } : {};
  const stages = levels.map((level) => ({
    stage: `at-${level}`,
    percentage: level / 1_000,
    hold: `${every * random.between(2, 4)}s`,
    ...deadline,
  }));
  const steps: object[] = [...stages];
  const anywhere = () => random.between(0, steps.length - 1);
  if (random.chance(0.25))
    steps.splice(anywhere(), 0, { migrate: 'order-totals', action: 'execute', batchSize: 10 });
  if (random.chance(0.15)) steps.splice(anywhere(), 0, { approve: 'review' });
  return {
    plan: PLAN,
    flag: FLAG,
    risk: '1%',
    checkEvery: `${every}s`,
    pageAfter: `${random.pick([15, 30, 60])}s`,
    metrics: {
      errors: {
        type: 'ratio',
        source,
        bad: { metric: 'errors_total', where },
        total: { metric: 'requests_total', where },
      },
      losses: { type: 'count', source, count: { metric: 'losses_total', where } },
    },
    guards: [
      { name: 'error-rate', judge: 'sequential', metric: 'errors', limit: '1%', ...seen },
      ...(random.chance(0.4) ? [{ name: 'data-loss', judge: 'immediate', metric: 'losses' }] : []),
    ],
    steps,
  };
}

function drawTruth(random: Seeded, levels: readonly number[], chaosMs: number): Truth {
  const within = () => START_MS + random.between(0, chaosMs);
  const hasTroubles = random.chance(0.4);
  const drawTrouble = (): Trouble => {
    const from = within();
    return { kind: random.pick(troubles), from, to: from + random.pick([2_000, 20_000, 60_000]) };
  };
  const quietFrom = within();
  return {
    rate: random.pick([30, 100, 400]),
    noTraffic: random.chance(0.1)
      ? { from: quietFrom, to: quietFrom + random.between(5_000, 60_000) }
      : { from: 0, to: 0 },
    healthy: random.pick([0, 0.001]),
    ...(random.chance(0.4)
      ? {
          broken: {
            share: random.pick([0.25, 0.6]),
            exposure: random.pick(levels),
            at: random.chance(0.7) ? 0 : within(),
          },
        }
      : {}),
    ...(random.chance(0.1) ? { losesDataAt: within() } : {}),
    restarts: random.chance(0.2) ? [within(), within()].sort((a, b) => a - b) : [],
    troubles: hasTroubles ? Array.from({ length: random.between(1, 3) }, drawTrouble) : [],
    startsAtZero: random.chance(0.7),
  };
}

function drawHappenings(random: Seeded, chaosMs: number, isCalm: boolean): Happening[] {
  const some = (from: readonly What[], most: number) =>
    Array.from({ length: random.between(0, most) }, (): Happening => {
      const what = random.pick(from);
      return { what, in: random.between(0, chaosMs), forMs: durationOf(random, what) };
    });
  const start = { what: 'start', in: random.between(0, 2_000), forMs: 0 } as const;
  const wanted = some(wishes, random.pick([0, 2, 5]));
  const wrong = isCalm ? [] : some(faults, random.pick([0, 2, 4]));
  const all = [start, ...wanted, ...wrong];
  return [...all, ...all.flatMap((each) => sequelOf(random, each) ?? [])];
}

/** What tends to come after: whoever does not reach the flags rolls back, a flag that was released is taken over. */
function sequelOf(random: Seeded, { what, in: before }: Happening): Happening | undefined {
  const sequel = SEQUELS[what];
  if (!sequel || !random.chance(0.6)) return undefined;
  return { what: sequel, in: before + random.between(1_000, 10_000), forMs: 0 };
}

const SEQUELS: Partial<Record<What, What>> = {
  'flags-away': 'rollback',
  lag: 'rollback',
  release: 'rival',
};

/** Long enough that a rollback misses its deadline, or short enough that nobody should mind. */
const durationOf = (random: Seeded, what: What): number =>
  what === 'flags-away' ? random.between(60_000, 200_000) : random.between(500, 15_000);
