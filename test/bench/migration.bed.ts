import type { Row } from './main.ts';
import type { Database } from './migration.database.ts';
import type { Runner } from './migration.runner.ts';

/** One database, and the runner beside it. */
export interface Bed {
  readonly name: string;
  /** How many are migrated. */
  readonly documents: number;
  readonly folder: string;
  readonly database: Database;
  readonly runner: Runner;
  figure(what: string, value: number, unit: string, subject?: string): void;
}

export const figures =
  (report: (row: Row) => void): Bed['figure'] =>
  (what, value, unit, subject = 'tidegate') =>
    report({ case: what, subject, value: Math.round(value * 100) / 100, unit });

export const about = (name: string, documents: number, kilobytes: number): string =>
  `${name}, ${documents} documents of ${kilobytes} KB`;
