import { setTimeout as wait } from 'node:timers/promises';
import type { Database } from './migration.database.ts';

/** Ascending, ms, each from when the read was due: one that had to wait for another counts its wait. */
export type Latencies = readonly number[];

export const EVERY_MS = 5;
const WARM_UP_MS = 500;

/** A program that serves people: one order by its key every 5 ms, for so long. */
export async function readers(
  database: Database,
  documents: number,
  forMs: number,
): Promise<Latencies> {
  const took: number[] = [];
  const begun = performance.now();
  for (let count = 0; ; count += 1) {
    const due = begun + count * EVERY_MS;
    if (due > begun + WARM_UP_MS + forMs) break;
    const early = due - performance.now();
    if (early > 0) await wait(early);
    const from = Math.min(due, performance.now());
    await database.read((count * 7_919) % documents);
    if (due > begun + WARM_UP_MS) took.push(performance.now() - from);
  }
  return took.sort((a, b) => a - b);
}

export const quantile = (sorted: Latencies, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
