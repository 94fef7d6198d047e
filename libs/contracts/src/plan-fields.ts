import { formatDuration, isRejection, parseDuration, parsePercentage } from '@tidegate/kernel';
import { z } from 'zod';

/** A plan is YAML (or JSON). Durations are like "15m", percentages 10 or "10%", limits like "1%". */
export const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (!isRejection(ms)) return ms;
  context.addIssue({ code: 'custom', message: ms.message });
  return z.NEVER;
});
export const atLeast = (ms: number) =>
  duration.refine((value) => value >= ms, { error: `must be at least ${formatDuration(ms)}` });

export const percentage = z.union([z.number(), z.string()]).transform((value, context) => {
  const parsed = parsePercentage(value);
  if (!isRejection(parsed)) return parsed;
  context.addIssue({ code: 'custom', message: parsed.message });
  return z.NEVER;
});

/** "1%" or 0.01 as a number; NaN if it is neither. */
function asNumber(value: number | string): number {
  const match = /^\s*(-?\d+(?:\.\d+)?)\s*%\s*$/.exec(String(value));
  return match ? Number(match[1]) / 100 : Number(value === '' ? Number.NaN : value);
}
const numberWhere = (isRight: (value: number) => boolean, expected: string) =>
  z.union([z.number(), z.string()]).transform((value, context) => {
    const number = asNumber(value);
    if (isRight(number)) return number;
    context.addIssue({ code: 'custom', message: `"${value}" is not ${expected}.` });
    return z.NEVER;
  });

/** A share strictly between 0 and 1, written as "1%" or 0.01. */
export const share = numberWhere(
  (value) => value > 0 && value < 1,
  'between 0% and 100%, as "1%" or 0.01',
);
/** A share from 0 on, without an upper end: by how much more. */
export const surplus = numberWhere(
  (value) => value >= 0 && Number.isFinite(value),
  '0% or more, as "10%" or 0.1',
);
/** Any amount, also as a share: "5%" is 0.05. */
export const amount = numberWhere(Number.isFinite, 'a number, as 3, 0.05 or "5%"');
/** More than nothing; "1%" is 0.01. */
export const positive = numberWhere(
  (value) => value > 0 && Number.isFinite(value),
  'more than 0, as 3, 0.01 or "1%"',
);

/** Names of labels and their wanted values: one, or a list of which any will do. */
export const labels = z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)]));
export const metricName = z
  .string()
  .regex(
    /^[a-zA-Z_:][a-zA-Z0-9_:]*$/,
    'must be the name of a metric, such as checkout_requests_total',
  );
