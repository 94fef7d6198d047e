import type { ReportFailures } from '@tidegate/contracts';
import { reportLimits } from '@tidegate/contracts';
import type { Key } from '../target/target.port.ts';
import { shortMessage, shortText } from './shown.ts';

const LONGEST_NAME = 80;

/** A name that a migration's function gave, for a row of a report. */
export const rowName = (name: unknown): string => shortText(String(name), LONGEST_NAME);

/** Rows by name, in the order in which they were met, at most `limit` of them. */
export interface Rows<T> {
  /** The row of this name; undefined when there is no place for a new one. */
  of(name: string): T | undefined;
  readonly entries: () => readonly (readonly [string, T])[];
  /** How often a row was asked for that found no place. */
  readonly leftOut: () => number;
}

export function rowsUpTo<T>(limit: number, blank: () => T): Rows<T> {
  const rows = new Map<string, T>();
  let leftOut = 0;
  return {
    of(name) {
      const known = rows.get(name);
      if (known !== undefined) return known;
      if (rows.size >= limit) {
        leftOut += 1;
        return undefined;
      }
      const row = blank();
      rows.set(name, row);
      return row;
    },
    entries: () => [...rows],
    leftOut: () => leftOut,
  };
}

/** Counts by name. */
export interface Counts {
  add(name: string): void;
  /** Largest first. */
  readonly entries: () => readonly (readonly [string, number])[];
  readonly leftOut: () => number;
}

export function countsUpTo(limit: number): Counts {
  const rows = rowsUpTo(limit, () => ({ n: 0 }));
  return {
    add: (name) => {
      const row = rows.of(name);
      if (row) row.n += 1;
    },
    entries: () =>
      rows
        .entries()
        .map(([name, { n }]) => [name, n] as const)
        .sort(([, a], [, b]) => b - a),
    leftOut: rows.leftOut,
  };
}

export interface FailureTally {
  add(key: Key, code: string, message: string): void;
  readonly total: () => number;
  readonly failures: () => ReportFailures;
}

/** Failures by code, most first, each with the first documents that failed so. */
export function failureTally(): FailureTally {
  const rows = rowsUpTo<ReportFailures[number]>(reportLimits.failureCodes, () => ({
    code: '',
    count: 0,
    examples: [],
  }));
  let total = 0;
  return {
    add(key, code, message) {
      total += 1;
      const row = rows.of(code);
      if (!row) return;
      row.code = code;
      row.count += 1;
      if (row.examples.length < reportLimits.examples)
        row.examples.push({ key: shownKey(key), message: shortMessage(message) });
    },
    total: () => total,
    failures: () =>
      rows
        .entries()
        .map(([, row]) => row)
        .sort((a, b) => b.count - a.count),
  };
}

export const shownKey = (key: Key): Key => (typeof key === 'string' ? shortText(key) : key);
