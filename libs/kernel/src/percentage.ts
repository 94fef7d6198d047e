import { reject, type Rejection } from './decision.ts';

/** An exposure in steps of 0.001 %: an integer 0 … 100 000. */
export type Percentage = number & { readonly unit: 'thousandths of a percent' };

export const NONE = 0 as Percentage;
export const FULL = 100_000 as Percentage;

export const isPercentage = (value: unknown): value is Percentage =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 100_000;

/** Reads 10, "10", "10%" or "0.001 %"; refused with PERCENTAGE_MALFORMED when finer than 0.001 % or outside 0–100 %. */
export function parsePercentage(value: number | string): Percentage | Rejection {
  const match = /^\s*(\d{1,3}(?:\.\d+)?)\s*%?\s*$/.exec(String(value));
  const thousandths = match ? Number(match[1]) * 1_000 : Number.NaN;
  const whole = Math.round(thousandths);
  if (Math.abs(thousandths - whole) > 1e-6 || !isPercentage(whole))
    return reject(
      'PERCENTAGE_MALFORMED',
      `"${value}" is not a percentage from 0 to 100 in steps of 0.001.`,
    );
  return whole;
}

/** "10 %", "0.001 %". */
export const formatPercentage = (percentage: Percentage): string => `${percentage / 1_000} %`;
