import { formatDuration } from '@tidegate/kernel';

/** 1204 → "1 204"; at most three decimals. What is too large to be counted has three digits. */
export function number(value: number): string {
  if (Math.abs(value) >= Number.MAX_VALUE) return value > 0 ? '∞' : '-∞';
  if (Math.abs(value) >= 1e15) return value.toExponential(2);
  const [whole = '0', fraction] = String(Math.round(value * 1_000) / 1_000).split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ' ');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Two digits of it, and no more than it has: 1 843 → "1 900", rounded up. */
export function about(value: number): string {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return number(Math.ceil(value / unit) * unit);
}

/** 0.0523 → "5.2 %", with that many digits below 10 %; a rounded rate above has no decimals. */
export function percent(share: number, digits = 6): string {
  const value = share * 100;
  return `${digits === 2 && value >= 10 ? Math.round(value) : Number(value.toPrecision(digits))} %`;
}

/** e^ln with two digits, as "4 300" or, from a million on, as "10^8". */
const power = (ln: number): string =>
  ln < Math.log(1e6)
    ? number(Number(Math.exp(ln).toPrecision(2)))
    : `10^${Math.floor(ln / Math.LN10)}`;

/** How strong evidence is, beside what is needed of it. */
export function odds(logE: number | null, threshold: number | null): string {
  if (logE === null || threshold === null) return '';
  const needed = `needed 1:${power(threshold)}`;
  return logE > 0
    ? `; evidence 1:${power(logE)} against chance, ${needed}`
    : `; no evidence of a breach, ${needed}`;
}

/** Below ten seconds with tenths: 0.7 s is more than 0.6 s. */
export const seconds = (ms: number): string =>
  `${number(ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1_000))} s`;

/** "5m", in whole seconds from a second on. */
export const span = (ms: number): string =>
  formatDuration(ms < 1_000 ? Math.round(ms) : Math.round(ms / 1_000) * 1_000);

/** 2 → "2 times", 2.2 → "2.2 times". */
export const times = (ratio: number): string => `${number(Number(ratio.toPrecision(2)))} times`;

/** "12 requests/s", "0.5 requests/s". */
export const requestsRate = (perSecond: number): string =>
  `${perSecond < 10 ? Number(perSecond.toPrecision(2)) : number(Math.round(perSecond))} requests/s`;
