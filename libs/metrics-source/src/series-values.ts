import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import { PointsBuilder, type PointColumns } from './recorded-series.ts';

const NUMBER = String.raw`(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI]nf|[nN]a[nN]`;
const ITEM = new RegExp(
  String.raw`^(?:(?<gap>_)|(?<stale>stale)|(?<first>[+-]?(?:${NUMBER}))(?<step>[+-](?:${NUMBER}))?)(?:x(?<times>\d+))?$`,
);
/** What is longer is a mistake, not a recording. */
export const MOST_POINTS = 10_000_000;

interface ValuesOptions {
  readonly startAt: number;
  readonly intervalMs: number;
  /** More are refused. */
  readonly maxPoints?: number;
}

/**
 * The values of one series as promtool writes them, one for each interval: "0+1x3 _ _x2 stale" is 0 1 2 3, three missing
 * samples, and the end of the series. `a+bxn` and `axn` are n + 1 samples, `_xn` n. Refused with NOTATION_MALFORMED.
 */
export function readSeriesValues(
  text: string,
  { startAt, intervalMs, maxPoints = MOST_POINTS }: ValuesOptions,
): PointColumns | Rejection {
  const points = new PointsBuilder();
  let at = startAt;
  for (const item of text.split(/\s+/)) {
    if (item === '') continue;
    const values = expand(item, maxPoints - (at - startAt) / intervalMs, maxPoints);
    if (isRejection(values)) return values;
    for (const value of values) {
      if (value !== undefined) points.push(at, value);
      at += intervalMs;
    }
  }
  return points.columns();
}

type Value = number | 'stale' | undefined;

function expand(item: string, room: number, maxPoints: number): Iterable<Value> | Rejection {
  const { gap, stale, first, step, times } = ITEM.exec(item)?.groups ?? {};
  const refused = item.includes('{{')
    ? 'is a native histogram, which is not read'
    : (stale !== undefined && times !== undefined) ||
        (gap === undefined && stale === undefined && first === undefined) ||
        (step !== undefined && times === undefined)
      ? 'is no value such as 5, 0+1x10, 3x4, _, _x3 or stale'
      : Number(times ?? 0) > room
        ? `makes more than ${maxPoints} samples`
        : undefined;
  if (refused !== undefined)
    return reject('NOTATION_MALFORMED', `${JSON.stringify(item)} ${refused}`);
  if (gap !== undefined) return repeated(undefined, Number(times ?? 1));
  if (stale !== undefined) return ['stale'];
  return counted(numberOf(first), numberOf(step ?? '0'), Number(times ?? 0));
}

function* repeated(value: Value, times: number): Generator<Value> {
  for (let index = 0; index < times; index += 1) yield value;
}

/** Added up as promtool does it, with the same rounding. */
function* counted(first: number, step: number, times: number): Generator<Value> {
  let value = first;
  for (let index = 0; index <= times; index += 1) {
    yield value;
    value += step;
  }
}

function numberOf(text = ''): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[+-]/, '');
  if (/^nan$/i.test(digits)) return Number.NaN;
  return sign * (/^inf$/i.test(digits) ? Infinity : Number(digits));
}
