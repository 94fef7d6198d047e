import { shareOfErrors } from '@tidegate/statistics';
import type { GuardEvidence } from './evidence.ts';
import type { Counted } from './place.ts';
import { withRecent } from './recent.ts';
import { withCounts, withGap } from './samples.ts';
import type { Watch } from './watch.ts';
import { count } from './windows.ts';

/** What was counted between two readings of the same targets. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** The canary and, where it is compared, the baseline. */
  readonly arms: readonly Counted[];
  /** Of so many groups of targets it is one. */
  readonly weight: number;
}

/** Adds it to what the guard's judge goes by. */
export function tally(
  evidence: GuardEvidence,
  watch: Watch,
  span: Span,
  openedAt: number,
): GuardEvidence {
  const { from, to, weight } = span;
  const [canary, baseline] = span.arms.map((each) => counted(each, watch, span));
  if (canary === undefined) return evidence;
  const { windows, samples, recent } = evidence;
  if (windows) {
    const row = [canary.bad, canary.total, ...(baseline ? beside(canary, baseline, watch) : [])];
    return { ...evidence, windows: count(windows, to - openedAt, row) };
  }
  if (recent) return { ...evidence, recent: withRecent(recent, from, to, canary.bad) };
  if (!samples) return evidence;
  const isGap = to - from > watch.maxGapMs;
  const after = isGap ? withGap(samples, to) : withCounts(samples, { from, to, weight, ...canary });
  return { ...evidence, samples: after };
}

/** Events are counted against the time in which they happened. */
const counted = (arm: Counted, { canary }: Watch, { from, to }: Span): Counted =>
  canary.type === 'rate' ? { bad: arm.bad, total: to - from } : arm;

/** The baseline's counts, and how many of all bad ones would be the canary's if it were as bad as the margin allows. */
function beside(canary: Counted, baseline: Counted, { guard }: Watch): readonly number[] {
  const ratio = 1 + (guard.judge === 'sequential' ? (guard.margin ?? 0) : 0);
  const all = canary.total + baseline.total;
  const share = all === 0 ? 0 : shareOfErrors(canary.total / all, ratio);
  return [baseline.bad, baseline.total, (canary.bad + baseline.bad) * share];
}
