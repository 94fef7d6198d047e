import { isRejection, parseDuration, parsePercentage } from '@tidegate/kernel';
import { amount } from './plan-fields.ts';

/** A problem of a plan: where, and what was expected there. */
export interface PlanIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Of a plan that may be malformed. */
export type Fields = Readonly<Record<string, unknown>>;

export const asFields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
export const asList = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.map(asFields) : [];

/** In ms, as it was written ("15m") or as it was read. */
export function durationOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const parsed = typeof value === 'string' ? parseDuration(value) : undefined;
  return parsed === undefined || isRejection(parsed) ? undefined : parsed;
}

/** As it was written ("10%") or as it was read (10 000 thousandths): only compared with its like. */
export function percentageOf(value: unknown): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const parsed = parsePercentage(value);
  return isRejection(parsed) ? (typeof value === 'number' ? value : undefined) : parsed;
}

/** "1%" or 0.01 as a number. */
export function numberOf(value: unknown): number | undefined {
  const read = amount.safeParse(value);
  return read.success ? read.data : undefined;
}
