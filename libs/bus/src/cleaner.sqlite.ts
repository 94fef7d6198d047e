import type { StatementSync } from 'node:sqlite';
import type { LogFile } from './log-file.sqlite.ts';
import type { Partition } from './topics.sqlite.ts';

const TOMBSTONES_KEPT_MS = 86_400_000;

/** Removes records that nobody is promised any more. The newest of a partition stays: its offset is where the next begin. */
export class Cleaner {
  readonly #file: LogFile;
  readonly #ages: StatementSync;
  readonly #drop: StatementSync;
  readonly #compact: StatementSync;
  readonly #compactedTo = new WeakMap<Partition, number>();

  constructor(file: LogFile) {
    this.#file = file;
    this.#ages = file.prepare(
      'SELECT id, recorded_at FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?',
    );
    this.#drop = file.prepare('DELETE FROM records WHERE id >= ? AND id < ?');
    this.#compact = file.prepare(`
      DELETE FROM records WHERE id >= $first AND id < $newest AND (
        id NOT IN (SELECT max(id) FROM records WHERE id >= $first AND id <= $newest GROUP BY key)
        OR (value IS NULL AND recorded_at < $tombstonesBefore))`);
  }

  /** Removes at most `limit` records that are older, from the oldest on; returns how many. */
  dropBefore({ firstId, end }: Partition, recordedBefore: number, limit: number): number {
    const ages = this.#file.named(() => this.#ages.all(firstId, firstId + end - 1, limit));
    const kept = ages.findIndex((row) => Number(row['recorded_at']) >= recordedBefore);
    const expired = kept === -1 ? ages.length : kept;
    const last = ages[expired - 1]?.['id'];
    if (last !== undefined) this.#file.transaction(() => this.#drop.run(firstId, Number(last) + 1));
    return expired;
  }

  /** Keeps the newest record of each key, and a tombstone for a day; returns how many are gone. */
  compact(partition: Partition, now: number): number {
    const { firstId, end } = partition;
    if (this.#compactedTo.get(partition) === end) return 0;
    const { changes } = this.#file.transaction(() =>
      this.#compact.run({
        $first: firstId,
        $newest: firstId + end - 1,
        $tombstonesBefore: now - TOMBSTONES_KEPT_MS,
      }),
    );
    this.#compactedTo.set(partition, end);
    return Number(changes);
  }
}
