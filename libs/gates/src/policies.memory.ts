import type { Facts } from './facts.ts';
import type { ImmediatePolicy, SequentialPolicy, SplitPolicy, SustainedPolicy } from './policy.ts';

/** Policies and facts for specs: each spec says what is different. */
const base = { shadow: false, maxAgeMs: 15_000 } as const;

export const errorRate: SequentialPolicy = {
  ...base,
  guard: 'error-rate',
  judge: 'sequential',
  kind: 'ratio',
  limit: 0.01,
  margin: null,
  baseline: null,
  risk: 0.01,
  horizon: 1,
  detect: 0.02,
  gate: 'none',
  everyone: false,
};
export const compared: SequentialPolicy = {
  ...errorRate,
  limit: null,
  margin: 0.1,
  baseline: 'concurrent',
  detect: 2.2,
};
export const critical: ImmediatePolicy = {
  ...base,
  guard: 'critical-errors',
  judge: 'immediate',
  kind: 'count',
  above: 2,
  below: null,
};
export const slow: SustainedPolicy = {
  ...base,
  guard: 'slow',
  judge: 'sustained',
  kind: 'value',
  above: 0.5,
  below: null,
  forMs: 50_000,
  stepMs: 5_000,
  coverage: 0.8,
};
export const split: SplitPolicy = {
  ...base,
  guard: 'split',
  judge: 'split',
  kind: 'ratio',
  canaryShare: 0.1,
  risk: 0.001,
  horizon: 1,
  everyone: false,
};

export const fresh: Facts = { ageMs: 5_000, missing: null };
/** All of it counted in the first window. */
export const counted = (bad: number, total: number, more: Partial<Facts> = {}): Facts => ({
  ...fresh,
  since: [{ start: 0, bad, total }],
  window: 0,
  ...more,
});
/** Canary and baseline, with the canary's share of the requests and this margin. */
export function both(
  canary: readonly [bad: number, total: number],
  baseline: readonly [bad: number, total: number],
  { margin = 0.1, ...more }: Partial<Facts> & { readonly margin?: number } = {},
): Facts {
  const share = canary[1] / (canary[1] + baseline[1]);
  const allowed = ((1 + margin) * share) / ((1 + margin) * share + 1 - share);
  const expected = (canary[0] + baseline[0]) * allowed;
  const [bad, total] = baseline;
  return {
    ...fresh,
    since: [{ start: 0, bad: canary[0], total: canary[1], baseline: { bad, total, expected } }],
    window: 0,
    ...more,
  };
}
/** One sample per step of five seconds, oldest first. */
export const sampled = (...values: readonly (number | null)[]): Facts => ({
  ...fresh,
  samples: values.map((value, i) => [(values.length - 1 - i) * 5_000, value] as const),
});
