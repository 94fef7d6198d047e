import { type Plan, type StageStep } from '@tidegate/contracts';
import {
  checkStage,
  judgeStage,
  mayLeave,
  openStage,
  pinRisk,
  type StageEvidence,
} from '@tidegate/gates';
import { type Reading, type Sample, seriesKey } from '@tidegate/metrics-source';
import { STAGES, TARGET } from './gates.plan.ts';
import type { Arm, Trace } from './gates.traffic.ts';

/** What became of it, by interval. */
export interface Outcome {
  readonly end: 'rolled back' | 'promoted' | 'held';
  readonly interval: number;
  /** Which guard, if it was rolled back. */
  readonly guard?: string;
}

const EPOCH = Date.UTC(2026, 0, 1);
const atOf = ({ intervalMs }: Trace, interval: number) => EPOCH + (interval + 1) * intervalMs;
/** A stage may take half as long again, to make up for time that was not covered. */
const LONGEST = 1.5;
/** Checks that a stage takes: its time is covered from its first check to its last. */
const checksOf = (plan: Plan, { hold }: StageStep) => Math.ceil(hold / plan.checkEvery) + 1;
const stagesOf = (plan: Plan) => plan.steps as StageStep[];

/** How many intervals a rollout takes if nothing is in its way, and at most. */
export const intervalsOf = (plan: Plan): { usual: number; most: number } => {
  const usual = stagesOf(plan).reduce((sum, stage) => sum + checksOf(plan, stage), 0);
  return { usual, most: Math.ceil(usual * LONGEST) };
};

/** What a rollout in one of its stages has seen before an interval. */
export interface Begun {
  readonly evidence: StageEvidence;
  readonly interval: number;
}

/**
 * A whole rollout, by the code that does it in production: each check's reading goes through `checkStage` and
 * `judgeStage`, a stage's end is asked of `mayLeave`. It ends as held where a stage may not be left in time.
 * @param begun a rollout in its first stage, to go on from there
 */
export function rollOut(plan: Plan, trace: Trace, begun?: Begun): Outcome {
  const judge = judgement(plan, trace);
  let now = begun ?? judge.opened;
  for (const [index, stage] of stagesOf(plan).entries()) {
    if (index > 0) now = judge.open(stage, now);
    const openedAt = index === 0 ? 0 : now.interval;
    const leaves = openedAt + checksOf(plan, stage);
    const last = Math.min(openedAt + checksOf(plan, stage) * LONGEST, trace.unread.length);
    let left = false;
    while (!left) {
      if (now.interval >= last) return { end: 'held', interval: last - 1 };
      const { evidence, verdicts, at, outcome } = judge.check(now);
      if (outcome) return outcome;
      now = { evidence, interval: now.interval + 1 };
      left =
        now.interval >= leaves && mayLeave(stage, evidence, verdicts, evidence.openedAt, at).leave;
    }
  }
  return { end: 'promoted', interval: now.interval };
}

/**
 * The first stage up to an interval: each check's reading is counted, and judged once a minute, for the time before a
 * late change. Where it breaches already, the rollout ends.
 */
export function begin(plan: Plan, trace: Trace, until: number): Begun | Outcome {
  const judge = judgement(plan, trace);
  const minute = Math.max(1, Math.round(60_000 / trace.intervalMs));
  let now = judge.opened;
  while (now.interval < until) {
    const interval = now.interval + 1;
    if (interval % minute > 0) now = { evidence: judge.count(now), interval };
    else {
      const { evidence, outcome } = judge.check(now);
      if (outcome) return outcome;
      now = { evidence, interval };
    }
  }
  return now;
}

/** One rollout's checks, each of what the one before has left. */
export function judgement(plan: Plan, trace: Trace) {
  const pinned = pinRisk(plan);
  const read = reader(trace);
  const count = ({ evidence, interval }: Begun) =>
    checkStage(plan, evidence, read(interval), atOf(trace, interval));
  return {
    opened: {
      evidence: checkStage(plan, openStage(plan, STAGES[0], EPOCH), read(-1), EPOCH),
      interval: 0,
    },
    open: ({ stage }: StageStep, { evidence, interval }: Begun): Begun => ({
      evidence: openStage(plan, stage, atOf(trace, interval - 1), evidence),
      interval,
    }),
    count,
    check(now: Begun) {
      const at = atOf(trace, now.interval);
      const evidence = count(now);
      const verdicts = judgeStage(plan, pinned, evidence, at);
      const breach = verdicts.find(({ outcome }) => outcome === 'breach');
      const outcome: Outcome | undefined = breach && {
        end: 'rolled back',
        interval: now.interval,
        guard: breach.guard,
      };
      return { evidence, verdicts, at, outcome };
    },
  };
}

/** What the source gives at an interval's end; at −1 the counters before the first. */
function reader(trace: Trace): (interval: number) => Reading[] {
  const series = [
    ...trace.canary.flatMap((arm, i) => seriesOf(arm, i, 'on')),
    ...trace.baseline.flatMap((arm, i) => seriesOf(arm, i, 'off')),
  ];
  const declared = [...new Set(series.map(({ name }) => name))];
  return (interval) => {
    const at = atOf(trace, interval);
    if (interval >= 0 && trace.unread[interval] !== 'read')
      return [
        { outcome: 'failed', target: TARGET, at, failure: 'unreachable', message: 'It is away.' },
      ];
    const samples = series.map(({ name, labels, key, counter }): Sample => ({
      name,
      labels,
      series: key,
      value: interval < 0 ? 0 : (counter[interval] ?? 0),
      at,
    }));
    return [{ outcome: 'taken', target: TARGET, at, samples, declared }];
  };
}

function seriesOf(arm: Arm, index: number, variant: string) {
  const labels = { variant };
  const counters = [
    [`bad_${index}_total`, arm.counterOfBad],
    [`requests_${index}_total`, arm.counterOfRequests],
  ] as const;
  return counters.map(([name, counter]) => ({
    name,
    labels,
    key: seriesKey(name, labels),
    counter,
  }));
}
