import { upperRate } from '@tidegate/statistics';

/** So many of so many, with Clopper and Pearson's two-sided 95 % interval. */
export interface Share {
  readonly count: number;
  readonly trials: number;
  readonly low: number;
  readonly high: number;
}
export function share(count: number, trials: number): Share {
  const upper = (errors: number) => upperRate({ errors, trials, confidence: 0.975 });
  return { count, trials, low: count === 0 ? 0 : 1 - upper(trials - count), high: upper(count) };
}

/** The smallest value that at least this share of them does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** 12 345.6 → "12 346"; below a hundred with two digits or three. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const rounded = value >= 100 ? Math.round(value) : Number(value.toPrecision(value >= 10 ? 3 : 2));
  return String(rounded).replaceAll(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ' ');
}
export const percent = (value: number): string => `${Number((100 * value).toPrecision(2))} %`;

/** 75 → "75 s", 420 → "7 min", 5 400 → "1.5 h". */
export function time(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'not found';
  if (seconds < 120) return `${number(seconds)} s`;
  if (seconds < 7_200) return `${number(seconds / 60)} min`;
  return `${number(seconds / 3_600)} h`;
}
