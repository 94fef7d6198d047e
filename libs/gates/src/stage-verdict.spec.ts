import { describe, expect, it } from '@jest/globals';
import { plan as planSchema, type Plan, type Verdict, type WatchedStep } from '@tidegate/contracts';
import fc from 'fast-check';
import { reassess } from './assess.ts';
import type { GuardEvidence } from './evidence.ts';
import { outcomeOf, type Reason, type ReasonClass, reasonsOf } from './reasons.ts';
import { pinRisk } from './risk.ts';
import { openStage, type StageEvidence } from './stage-evidence.ts';
import { judgeStage, mayLeave } from './stage-verdict.ts';

const source = { scrape: ['http://a/metrics'] };
const on = { where: { variant: 'on' } };
const off = { where: { variant: 'off' } };
const limited = {
  name: 'limited',
  judge: 'sequential',
  metric: 'errors',
  limit: '1%',
  gate: 'none',
};
const compared = {
  name: 'compared',
  judge: 'sequential',
  metric: 'arms',
  margin: '10%',
  gate: 'none',
};
const split = { name: 'split', judge: 'split', metric: 'arms' };
const planOf = (guards: readonly object[], step: object = {}): Plan =>
  planSchema.parse({
    plan: 'p',
    flag: 'f',
    metrics: {
      errors: { type: 'ratio', source, bad: { metric: 'bad' }, total: { metric: 'total' } },
      arms: {
        type: 'ratio',
        source,
        bad: { metric: 'bad' },
        total: { metric: 'total' },
        canary: on,
        baseline: off,
      },
    },
    guards,
    steps: [
      { stage: 'canary', percentage: 10, hold: '1m', deadline: '1h', ...step },
      { bake: 'night', hold: '8h' },
      { stage: 'everyone', percentage: '100%', hold: '1m' },
      { bake: 'days', hold: '2d' },
    ],
  });

/** One window of counts: the canary's [bad, total], and the baseline's [bad, total, expected]. */
const evidenceOf = (...counts: readonly number[]): GuardEvidence => ({
  targets: {},
  windows: { widthMs: 5_000, newest: 0, rows: [[0, ...counts]] },
  lastSuccessAt: 0,
  missing: null,
});
const stage = (plan: Plan, guards: StageEvidence['guards'], name = 'canary'): StageEvidence => ({
  ...openStage(plan, name, 0),
  guards,
  lastSuccessAt: 0,
  coveredMs: 60_000,
});

describe('the verdicts of a stage', () => {
  it('believe no comparison where canary and baseline do not get the traffic that they should', () => {
    const plan = planOf([compared, split, limited]);
    const bad = evidenceOf(40, 2_000, 90, 8_000, 28);
    const said = judgeStage(
      plan,
      pinRisk(plan),
      stage(plan, { compared: bad, split: bad, limited: evidenceOf(63, 1_204) }),
      0,
    );
    expect(said).toMatchObject([
      { guard: 'compared', outcome: 'hold', reason: 'sample-ratio-mismatch' },
      { guard: 'split', outcome: 'hold', reason: 'sample-ratio-mismatch' },
      { guard: 'limited', outcome: 'breach' },
    ]);
    for (const verdict of said) expect(reassess(verdict)).toEqual(verdict);
  });

  it('compare where a split guard is only in shadow', () => {
    const plan = planOf([compared, { ...split, shadow: true }]);
    const bad = evidenceOf(40, 1_500, 90, 8_500, 21);
    const said = judgeStage(plan, pinRisk(plan), stage(plan, { compared: bad, split: bad }), 0);
    expect(said).toMatchObject([
      { outcome: 'breach', reason: 'worse-than-baseline' },
      { reason: 'sample-ratio-mismatch', shadow: true },
    ]);
  });

  it('have nothing to compare at 100 %, nor in a bake after it', () => {
    const plan = planOf([compared, split]);
    const all = evidenceOf(900, 1_000, 0, 0, 0);
    for (const name of ['everyone', 'days'])
      expect(
        judgeStage(plan, pinRisk(plan), stage(plan, { compared: all, split: all }, name), 0),
      ).toMatchObject([{ reason: 'nothing-to-compare' }, { reason: 'nothing-to-compare' }]);
    // In a bake at 10 % there is.
    const night = judgeStage(
      plan,
      pinRisk(plan),
      stage(plan, { compared: all, split: all }, 'night'),
      0,
    );
    expect(night[0]).toMatchObject({ reason: 'sample-ratio-mismatch' });
  });

  it('of a bake have a share of the risk of their own', () => {
    const plan = planOf([limited]);
    const night = stage(plan, { limited: evidenceOf(0, 100) }, 'night');
    const [verdict] = judgeStage(plan, pinRisk(plan), night, 0);
    expect(verdict?.threshold).toBeCloseTo(-Math.log(0.01 / 4), 12);
  });

  it('of a guard in shadow are what they would be if it acted, and take nothing from those that do', () => {
    const watching = { ...limited, name: 'watching', shadow: true, weight: 3 };
    const plan = planOf([limited, watching]);
    const bad = evidenceOf(63, 1_204);
    const [acts, watches] = judgeStage(
      plan,
      pinRisk(plan),
      stage(plan, { limited: bad, watching: bad }),
      0,
    );
    expect(acts?.threshold).toBeCloseTo(-Math.log(0.01 / 4), 12);
    expect(watches?.threshold).toBeCloseTo(-Math.log((0.01 / 4) * 0.75), 12);
    expect(watches).toMatchObject({ outcome: 'breach', shadow: true });
  });

  it('tell of a canary that crashes, and otherwise nothing of it', () => {
    const plan = planOf([limited]);
    const known = stage(plan, { limited: evidenceOf(0, 100) });
    expect(judgeStage(plan, pinRisk(plan), known, 0)).toHaveLength(1);
    const at = { at: 0, seenAt: 0, startedAt: null };
    const instance = { target: 'http://a/metrics', ...at, counter: null };
    const crashing = { ...known, liveness: { a: { ...instance, missed: 0, restarts: [1, 2, 3] } } };
    const said = judgeStage(plan, pinRisk(plan), crashing, 10);
    expect(said[1]).toMatchObject({
      guard: 'liveness',
      outcome: 'breach',
      reason: 'canary-restarts',
    });
    expect(reassess(said[1] as Verdict)).toEqual(said[1]);
    const gone = { ...known, liveness: { a: { ...instance, missed: 3, restarts: [] } } };
    expect(judgeStage(plan, pinRisk(plan), gone, 10)[1]).toMatchObject({
      reason: 'canary-vanished',
    });
    const off = { ...plan, liveness: 'off' as const };
    expect(judgeStage(off, pinRisk(off), crashing, 10)).toHaveLength(1);
  });
});

describe('a step', () => {
  const said = (reason: Reason, shadow = false): Verdict => ({
    guard: 'g',
    outcome: outcomeOf(reason),
    reason,
    logE: null,
    threshold: null,
    evidence: {},
    message: `g: ${reason}.`,
    ...(shadow ? { shadow } : {}),
  });
  const plan = planOf([]);
  const ask = plan.steps[0] as WatchedStep;
  const goesOn = { ...ask, atDeadline: 'advance' } as WatchedStep;
  const covered = stage(plan, {});
  const LATE = 3_600_000;
  const leave = (reasons: readonly Reason[], at = 0, step = ask, evidence = covered) =>
    mayLeave(
      step,
      evidence,
      reasons.map((each) => said(each)),
      0,
      at,
    );

  it('is left when every guard passes and its hold time is covered', () => {
    expect(leave(['error-rate-within-limit'])).toMatchObject({ leave: true });
    const early = { ...covered, coveredMs: 59_999 };
    expect(leave(['error-rate-within-limit'], 0, ask, early)).toMatchObject({
      leave: false,
      because: 'hold-time',
      message: 'canary: 59s of 1m covered by successful checks.',
    });
  });

  it.each<[ReasonClass, string]>([
    ['breach', 'breach'],
    ['missing', 'missing-data'],
    ['held', 'held'],
    ['unseen', 'too-little-evidence'],
    ['little', 'too-little-evidence'],
  ])('is not left for any reason that is %s', (kind, because) => {
    for (const reason of reasonsOf(kind))
      expect(leave(['error-rate-within-limit', reason])).toMatchObject({
        leave: false,
        because,
        reason,
      });
  });

  it('goes on at its deadline with too little evidence, if the plan says so, and with nothing else', () => {
    for (const reason of reasonsOf('little')) {
      expect(leave([reason], LATE, goesOn)).toMatchObject({ leave: true, because: 'deadline' });
      expect(leave([reason], LATE - 1, goesOn).leave).toBe(false);
      expect(leave([reason], LATE, ask).leave).toBe(false);
      const early = { ...covered, coveredMs: 0 };
      expect(leave([reason], LATE, goesOn, early)).toMatchObject({ because: 'hold-time' });
    }
    for (const kind of ['breach', 'missing', 'held', 'unseen'] as const)
      for (const reason of reasonsOf(kind))
        expect(leave(['too-few-requests', reason], LATE, goesOn)).toMatchObject({
          leave: false,
          reason,
        });
    expect(leave(['error-rate-within-limit'], LATE, goesOn)).not.toHaveProperty('because');
  });

  it('never goes on without data, whatever else is said, how late it is, and what the plan wants', () => {
    const reasons = fc.constantFrom(
      ...(['breach', 'missing', 'held', 'unseen', 'little', 'pass'] as const).flatMap(reasonsOf),
    );
    const dark = fc.constantFrom(...reasonsOf('missing'), ...reasonsOf('unseen'));
    const steps = fc.constantFrom(ask, goesOn, { ...goesOn, hold: 0, deadline: 1 });
    fc.assert(
      fc.property(
        fc.array(reasons),
        dark,
        fc.nat(),
        fc.nat({ max: 1e9 }),
        steps,
        (others, missing, place, at, step) => {
          const all = others.toSpliced(place % (others.length + 1), 0, missing);
          expect(leave(all, at, step).leave).toBe(false);
        },
      ),
    );
  });

  it('does not wait for a guard in shadow, whatever it says', () => {
    for (const kind of ['breach', 'missing', 'held', 'unseen', 'little'] as const)
      for (const reason of reasonsOf(kind)) {
        const verdicts = [said('error-rate-within-limit'), said(reason, true)];
        expect(mayLeave(ask, covered, verdicts, 0, 0)).toMatchObject({ leave: true });
      }
  });

  it('is not left on a reason that nobody knows', () => {
    const foreign = { ...said('alive'), outcome: 'hold', reason: 'because-i-say-so' } as const;
    expect(mayLeave(goesOn, covered, [foreign], 0, LATE).leave).toBe(false);
  });
});
