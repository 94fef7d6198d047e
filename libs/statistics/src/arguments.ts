import { AppError } from '@tidegate/kernel';
import type { StatisticsErrorCode } from './errors.ts';

export const isWeight = (value: number): boolean => value > 0 && Number.isFinite(value);

export const isCount = (value: number): boolean => value >= 0 && Number.isFinite(value);

export const isInside = (value: number): boolean => value > 0 && value < 1;

/** Throws STATISTICS_ARGUMENT with the arguments, unless the condition holds. */
export function demand(condition: boolean, given: object): void {
  if (condition) return;
  const data: Record<string, unknown> = { ...given };
  throw new AppError<StatisticsErrorCode>(
    'STATISTICS_ARGUMENT',
    `Nothing can be computed from ${JSON.stringify(data)}.`,
    { data },
  );
}
