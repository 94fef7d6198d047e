import type { Metric } from '@tidegate/contracts';
import {
  logEvidenceEventsAbove,
  logEvidenceEventsBelow,
  logEvidenceBetterVarying,
  logEvidenceRateAbove,
  logEvidenceRateBelow,
  logEvidenceWorseVarying,
  mixStarts,
  priorFor,
  startWeights,
  upperRate,
} from '@tidegate/statistics';
import type { CountsSince, Facts } from './facts.ts';
import type { SequentialPolicy } from './policy.ts';

/** What a sequential guard tests in its stage, with the facts that fix it. */
export interface Test {
  /** Against a limit; null where there is none. */
  readonly limit: number | null;
  /** The regression of a limit that must be seen before the stage is left. */
  readonly regression: number | null;
  /** Against a baseline at the same time. */
  readonly compares: boolean;
  /** ln E at which it breaches. */
  readonly threshold: number;
}

/** Of the risk, so much is kept for the recorded rate being lower than it truly was. */
const RECORDED_RISK = 0.1;

/**
 * At 100 % there is no baseline at the same time any more: only a limit is left to test. A recorded baseline is a limit:
 * (1 + margin) times the highest rate that it may have had, at a confidence of 1 − risk/10, tested at nine tenths of the
 * risk, so that both errors together are at most the risk. Null if it has to be known first.
 */
export function testOf(policy: SequentialPolicy, { recorded }: Facts): Test | null {
  const { limit, margin, detect, risk, baseline, everyone, kind } = policy;
  if (baseline !== 'recorded' || margin === null) {
    const compares = baseline === 'concurrent' && !everyone;
    const regression =
      baseline === null ? detect : limit === null ? null : multipleOf(kind, limit, detect);
    return { limit, regression, compares, threshold: -Math.log(risk) };
  }
  const threshold = -Math.log(risk * (1 - RECORDED_RISK));
  const worst = recorded ? (1 + margin) * highest(policy, recorded) : Infinity;
  const tested = Math.min(limit ?? Infinity, worst);
  if (!(kind === 'rate' ? Number.isFinite(tested) : tested < 1)) return null;
  const regression = multipleOf(kind, tested, detect / (1 + margin));
  return { limit: tested, regression, compares: false, threshold };
}

/** So many times a limit. A share of requests ends at 1: half the way there is the most that is asked for. */
export const multipleOf = (kind: Metric['type'], limit: number, ratio: number): number =>
  kind === 'rate' ? limit * ratio : Math.min(limit * ratio, (1 + limit) / 2);

/** The highest rate that what was recorded may come from; of a rate, in `perMs`. Infinite if nothing was recorded. */
function highest(
  { kind, risk, perMs = 1_000 }: SequentialPolicy,
  { bad, total }: { readonly bad: number; readonly total: number },
): number {
  if (total <= 0 || (kind !== 'rate' && bad > total)) return Infinity;
  const confidence = 1 - risk * RECORDED_RISK;
  if (kind !== 'rate') return upperRate({ errors: bad, trials: total, confidence });
  // Poisson counts as binomial ones in so many parts of the time that each has at most one.
  const parts = Math.max(1e6, 1e3 * bad);
  return upperRate({ errors: bad, trials: parts, confidence }) * ((parts * perMs) / total);
}

const NOTHING: CountsSince = { start: 0, bad: 0, total: 0 };

/** Everything that was counted in the stage. */
export const whole = ({ since }: Facts): CountsSince =>
  since?.find(({ start }) => start === 0) ?? NOTHING;

/** ln E against "not worse than it may be", mixed over the starts; null if there is nothing to test. */
export function logEvidence(policy: SequentialPolicy, test: Test, facts: Facts): number | null {
  const { limit } = test;
  if (test.compares) return mixed(policy.horizon, facts, logEvidenceWorse);
  if (limit === null) return null;
  return mixed(policy.horizon, facts, (counts) => logEvidenceAbove(policy, limit, counts));
}

/** ln E that the baseline alone is over the limit; null if there is nothing to test. */
export function logEvidenceOfBaseline(
  policy: SequentialPolicy,
  { limit, compares }: Test,
  facts: Facts,
): number | null {
  if (!compares || limit === null) return null;
  return mixed(policy.horizon, facts, ({ baseline }) =>
    baseline === undefined ? null : logEvidenceAbove(policy, limit, baseline),
  );
}

/**
 * ln Σ w_j E_j over the starts that were kept. One whose counts contradict each other adds nothing, which only lowers E.
 */
export function mixed(
  horizon: number,
  { since = [], window = 0 }: Facts,
  logE: (counts: CountsSince) => number | null,
): number {
  if (since.length === 0) return 0;
  const starts = since.flatMap((counts) => {
    const each = logE(counts);
    return each === null ? [] : [{ start: counts.start, logE: each }];
  });
  return mixStarts(startWeights(horizon), starts, window);
}

interface Counts {
  readonly bad: number;
  readonly total: number;
}

function logEvidenceAbove(
  { kind, perMs = 1_000 }: SequentialPolicy,
  limit: number,
  { bad, total }: Counts,
): number | null {
  if (kind === 'rate')
    return logEvidenceEventsAbove({ events: bad, exposureMs: total, limit, perMs });
  if (bad > total) return null;
  return logEvidenceRateAbove({ errors: bad, trials: total, limit, ...priorFor(limit) });
}

function logEvidenceWorse({ bad, baseline }: CountsSince): number | null {
  if (baseline === undefined) return null;
  const { bad: theirs, expected } = baseline;
  return logEvidenceWorseVarying({ canaryErrors: bad, errors: bad + theirs, expected });
}

/**
 * ln E of the mirror: that the whole stage was better than it may be at worst. Null where nothing can be said.
 */
export function logEvidenceGood(
  { kind, perMs = 1_000 }: SequentialPolicy,
  { limit, compares }: Test,
  { bad, total, baseline }: CountsSince,
): number | null {
  if (compares) {
    if (baseline === undefined) return null;
    const { bad: theirs, expected } = baseline;
    return logEvidenceBetterVarying({ canaryErrors: bad, errors: bad + theirs, expected });
  }
  if (limit === null) return null;
  if (kind === 'rate')
    return logEvidenceEventsBelow({ events: bad, exposureMs: total, limit, perMs });
  if (bad > total) return null;
  return logEvidenceRateBelow({ errors: bad, trials: total, limit, ...priorFor(limit) });
}
