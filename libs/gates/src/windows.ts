import type { CountsSince } from './facts.ts';

/**
 * Counts by the time in which they happened, in windows of one width since the step began, for tests that begin at
 * each of them. The newest 16 windows are kept apart; of older ones fewer and fewer, each with the counts up to the
 * next one that is kept, so that sums stay exact: 84 of the 5 760 of a hold time, 140 of three months of five seconds.
 */
export interface Windows {
  readonly widthMs: number;
  /** Number of the newest window with counts; -1 without any. */
  readonly newest: number;
  /** By start, oldest first; only those in which something was counted. */
  readonly rows: readonly Row[];
}
/**
 * What was counted from the window `start` up to the next that is kept: bad and total, and where it is compared the
 * baseline's bad, total and expected.
 */
export type Row = readonly [start: number, ...counts: number[]];
/** Length of a row without a baseline. */
const ONE_ARM = 3;

/** So many of the newest windows are all kept. */
const NEWEST = 16;

export const noWindows = (widthMs: number): Windows => ({ widthMs, newest: -1, rows: [] });

/**
 * Whether a window is kept: of those that are 16·2ⁿ to 16·2ⁿ⁺¹ windows old each 2ⁿ⁺¹-th is. It depends on the two
 * numbers alone, and what is dropped once is never kept again: so counts do not depend on the order of being told.
 */
export const isKept = (start: number, newest: number): boolean =>
  start % spacing(newest - start) === 0;

/** 2^(1 + ⌊log2(age / 16)⌋), or 1 for the newest. */
const spacing = (age: number): number => (age < NEWEST ? 1 : 1 << (28 - Math.clz32(age)));

/** The newest window that is kept and does not begin after this one. The stage's first always is. */
function keptAt(window: number, newest: number): number {
  let start = window;
  for (let rest = 1; rest > 0; start -= rest) rest = start % spacing(newest - start);
  return start;
}

/** Adds counts of the instant `sinceMs` after the step began; what comes from before counts as its beginning. */
export function count(windows: Windows, sinceMs: number, counts: readonly number[]): Windows {
  if (counts.every((each) => each === 0)) return windows;
  const { widthMs, rows } = windows;
  const window = Math.floor(Math.max(0, sinceMs) / widthMs);
  const newest = Math.max(windows.newest, window);
  return {
    widthMs,
    newest,
    rows: added(thinned(rows, newest), [keptAt(window, newest), ...counts]),
  };
}

/** Each row at the start that is kept for it; rows of the same start as one. */
function thinned(rows: readonly Row[], newest: number): Row[] {
  if (rows.every(([start]) => isKept(start, newest))) return [...rows];
  const result: Row[] = [];
  for (const row of rows) {
    const start = keptAt(row[0], newest);
    const last = result.at(-1);
    if (last?.[0] === start) result[result.length - 1] = sumOf(last, row);
    else result.push(start === row[0] ? row : [start, ...row.slice(1)]);
  }
  return result;
}

/** Mostly at the end: what is counted is new. */
function added(rows: Row[], row: Row): Row[] {
  const index = rows.findLastIndex(([start]) => start <= row[0]);
  const known = rows[index];
  if (known?.[0] === row[0]) rows[index] = sumOf(known, row);
  else rows.splice(index + 1, 0, row);
  return rows;
}

function sumOf(row: Row, more: Row): Row {
  const sum: [number, ...number[]] = [row[0]];
  for (let i = 1; i < more.length; i += 1) sum.push((row[i] ?? 0) + (more[i] ?? 0));
  return sum;
}

/** What was counted since each window that is kept, oldest first: the first is all that there is. */
export function sinceStarts({ newest, rows }: Windows): CountsSince[] {
  const result: CountsSince[] = [];
  let [bad, total, baseBad, baseTotal, expected] = [0, 0, 0, 0, 0];
  let index = rows.length - 1;
  for (let start = newest; start >= 0; start = start === 0 ? -1 : keptAt(start - 1, newest)) {
    for (let row = rows[index]; row && row[0] >= start; row = rows[(index -= 1)]) {
      bad += row[1] ?? 0;
      total += row[2] ?? 0;
      if (row.length === ONE_ARM) continue;
      baseBad += row[3] ?? 0;
      baseTotal += row[4] ?? 0;
      expected += row[5] ?? 0;
    }
    if (rows[0]?.length === ONE_ARM) result.push({ start, bad, total });
    else {
      const baseline = { bad: baseBad, total: baseTotal, expected };
      result.push({ start, bad, total, baseline });
    }
  }
  return result.reverse();
}
