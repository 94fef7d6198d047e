import type { ThresholdPolicy } from './policy.ts';
import { number, percent } from './text.ts';

/** Strictly beyond the threshold: at it is not beyond it. */
export const isBeyond = ({ above, below }: ThresholdPolicy, value: number): boolean =>
  (above !== null && value > above) || (below !== null && value < below);

const isShare = ({ kind }: ThresholdPolicy): boolean => kind === 'ratio' || kind === 'latency';

export const valueOf = (policy: ThresholdPolicy, value: number): string =>
  isShare(policy) ? percent(value, 3) : number(value);

/** "at most 5 % allowed" */
export function allowedBy(policy: ThresholdPolicy): string {
  const { above, below } = policy;
  const limit = (value: number) => (isShare(policy) ? percent(value) : number(value));
  return above !== null
    ? `at most ${limit(above)} allowed`
    : `at least ${limit(below ?? 0)} needed`;
}

export const thresholdNumbers = ({ above, below }: ThresholdPolicy): Record<string, number> => ({
  ...(above === null ? {} : { above }),
  ...(below === null ? {} : { below }),
});

/** Judges that do not test have no e-value. */
export const NO_ODDS = { logE: null, threshold: null } as const;
