import { describe, expect, it } from '@jest/globals';
import { verdict } from '@tidegate/contracts';
import fc from 'fast-check';
import { assess, reassess } from './assess.ts';
import { missingKinds } from './counters.ts';
import type { Facts } from './facts.ts';
import { counted, errorRate } from './policies.memory.ts';
import type { Policy, SequentialPolicy } from './policy.ts';
import { classOf } from './reasons.ts';

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const rate = fc.double({ min: 0.0001, max: 0.4, noNaN: true });
const base = {
  guard: fc.constant('g'),
  shadow: fc.boolean(),
  maxAgeMs: fc.constant(15_000),
};
const threshold = fc.oneof(
  fc.record({ above: fc.nat({ max: 50 }), below: fc.constant(null) }),
  fc.record({ above: fc.constant(null), below: fc.nat({ max: 50 }) }),
);
const sequential: fc.Arbitrary<SequentialPolicy> = fc
  .record({
    ...base,
    judge: fc.constant('sequential' as const),
    kind: fc.constantFrom('ratio', 'latency', 'rate'),
    limit: maybe(rate),
    margin: maybe(rate),
    baseline: fc.constantFrom('concurrent', 'recorded'),
    risk: fc.double({ min: 1e-6, max: 0.5, noNaN: true }),
    horizon: fc.integer({ min: 1, max: 300 }),
    gate: fc.constantFrom('not-proven-bad', 'proven-good', 'none'),
    everyone: fc.boolean(),
  })
  .map(({ limit, margin, baseline, ...rest }) => {
    const isCompared = margin !== null || limit === null;
    return {
      ...rest,
      perMs: 1_000,
      overMs: 500,
      limit: limit ?? (isCompared ? null : 0.01),
      margin: isCompared ? (margin ?? 0) : null,
      baseline: isCompared ? baseline : null,
      detect: isCompared ? 2 * (1 + (margin ?? 0)) : (limit ?? 0.01) * 2,
    };
  });
const immediate = fc
  .tuple(fc.record({ ...base, judge: fc.constant('immediate' as const) }), threshold)
  .map(([policy, limits]) => ({ ...policy, ...limits, kind: 'count' as const }));
const sustained = fc
  .tuple(fc.record({ ...base, judge: fc.constant('sustained' as const) }), threshold)
  .map(([policy, limits]) => ({
    ...policy,
    ...limits,
    kind: 'value' as const,
    forMs: 50_000,
    stepMs: 5_000,
    coverage: 0.8,
  }));
const split = fc.record({
  ...base,
  judge: fc.constant('split' as const),
  kind: fc.constantFrom('ratio' as const, 'count' as const),
  canaryShare: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  risk: fc.constant(0.001),
  horizon: fc.integer({ min: 1, max: 20 }),
  everyone: fc.boolean(),
});
const liveness = fc.record({
  ...base,
  judge: fc.constant('liveness' as const),
  restarts: fc.integer({ min: 1, max: 5 }),
  withinMs: fc.constant(600_000),
});
const recovery = fc
  .tuple(fc.record(base), fc.oneof(sequential, immediate, sustained))
  .map(([policy, of]) => ({ ...policy, judge: 'recovery' as const, of }));
const policies: fc.Arbitrary<Policy> = fc.oneof(
  { weight: 4, arbitrary: sequential },
  immediate,
  sustained,
  split,
  liveness,
  recovery,
);

const arm = fc
  .record({ total: fc.nat({ max: 5_000 }), bad: fc.nat({ max: 300 }) })
  .map(({ total, bad }) => ({ total, bad }));
const facts: fc.Arbitrary<Facts> = fc
  .record({
    ageMs: maybe(fc.nat({ max: 30_000 })),
    kind: maybe(fc.constantFrom(...missingKinds)),
    windows: fc.array(fc.record({ canary: arm, baseline: fc.option(arm, { nil: undefined }) }), {
      maxLength: 5,
    }),
    recorded: maybe(arm),
    samples: fc.array(maybe(fc.nat({ max: 100 })), { minLength: 10, maxLength: 10 }),
    value: maybe(fc.nat({ max: 100 })),
    vanished: fc.nat({ max: 1 }),
    mismatch: fc.boolean(),
  })
  .map(({ ageMs, kind, windows, recorded, samples, value, vanished, mismatch }) => ({
    ageMs,
    missing: kind && { kind, targets: 2, detail: 'two of them.' },
    since: windows.map(({ canary, baseline }, start) => ({
      start,
      ...canary,
      ...(baseline && {
        baseline: { ...baseline, expected: (canary.bad + baseline.bad) * 0.3 },
      }),
    })),
    window: windows.length,
    recorded,
    samples: samples.map((each, i) => [(9 - i) * 5_000, each] as const),
    value,
    liveness: { vanished, restarts: 0, detail: 'one of them.' },
    mismatch,
  }));

describe('a verdict', () => {
  it('is judged again to the same, word for word, also after a journey as JSON', () => {
    fc.assert(
      fc.property(policies, facts, (policy, facts) => {
        const said = assess(policy, facts);
        const arrived = verdict.parse(JSON.parse(JSON.stringify(said)));
        expect(reassess(arrived)).toEqual(said);
      }),
      { numRuns: 200 },
    );
  });

  it('never passes and is never too little to go on with while data are missing', () => {
    fc.assert(
      fc.property(policies, facts, (policy, facts) => {
        const isDark =
          facts.missing !== null || facts.ageMs === null || facts.ageMs > policy.maxAgeMs;
        fc.pre(isDark);
        expect(['breach', 'held', 'missing']).toContain(classOf(assess(policy, facts).reason));
      }),
      { numRuns: 200 },
    );
  });

  it('of someone else, or without whole inputs, is not judged', () => {
    const said = assess(errorRate, counted(1, 100));
    const { inputs: _, ...without } = said;
    expect(reassess(without)).toBeUndefined();
    expect(
      reassess({ ...said, inputs: { policy: { judge: 'oracle' }, facts: {} } }),
    ).toBeUndefined();
    const { policy } = said.inputs ?? {};
    expect(reassess({ ...said, inputs: { policy: policy ?? null } })).toBeUndefined();
  });
});
