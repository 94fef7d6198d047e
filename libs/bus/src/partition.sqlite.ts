import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import type { WireRecord } from '@tidegate/contracts';
import type { LogFile } from './log-file.sqlite.ts';
import type { Bounds } from './log.port.ts';
import { packHeaders, unpackHeaders } from './packed-headers.ts';

const ROWS_AT_ONCE = 20;
const TAIL = 200;
const TAIL_BYTES = 200_000;
const TOMBSTONES_KEPT_MS = 86_400_000;

export interface Stored {
  readonly offset: number;
  readonly recordedAt: number;
  readonly record: WireRecord;
}

type Row = [number, number, string | null, string, Uint8Array | null] & SQLOutputValue[];

/** One partition: a table of its own, to which rows are only added at the end, so that few pages change at a time. */
export class Partition {
  /** Unique in the file. */
  readonly number: number;
  readonly listeners = new Set<() => void>();
  readonly #file: LogFile;
  readonly #table: string;
  readonly #insert: StatementSync;
  readonly #read: StatementSync;
  /** Written, but not yet committed. */
  readonly #inserted: Stored[] = [];
  /** The newest records once more: who keeps up need not read them from the file. */
  readonly #tail: Stored[] = [];
  #end: number;
  #compactedTo = 0;

  /** The table is there: `tableOf` says how it is made. */
  constructor(file: LogFile, number: number) {
    this.number = number;
    this.#file = file;
    this.#table = `records_${number}`;
    this.#insert = file.prepare(`INSERT INTO ${this.#table} VALUES (?, ?, ?, ?, ?)`);
    this.#read = file.prepare(
      `SELECT offset, recorded_at, key, headers, value FROM ${this.#table} WHERE offset >= ? ORDER BY offset LIMIT ?`,
    );
    this.#read.setReturnArrays(true);
    const newest = file.prepare(`SELECT max(offset) AS newest FROM ${this.#table}`).get();
    this.#end = typeof newest?.['newest'] === 'number' ? newest['newest'] + 1 : 0;
  }

  /** The offset that the next record gets. */
  get end(): number {
    return this.#end;
  }

  static tableOf(number: number): string {
    return `CREATE TABLE records_${number} (
      offset INTEGER PRIMARY KEY, recorded_at INTEGER NOT NULL, key TEXT, headers TEXT NOT NULL, value BLOB)`;
  }

  /** Within a transaction; then `committed` or `rolledBack` says how that ended. */
  insert(recordedAt: number, record: WireRecord): void {
    const { key, headers, value } = record;
    const offset = this.end + this.#inserted.length;
    this.#insert.run(offset, recordedAt, key, packHeaders(headers, key), value);
    this.#inserted.push({ offset, recordedAt, record });
  }

  committed(): void {
    const inserted = this.#inserted.splice(0);
    this.#end += inserted.length;
    for (const stored of inserted) this.#tail.push(stored);
    this.#tail.splice(0, this.#tail.length - TAIL);
    let bytes = 0;
    const tooMuch = this.#tail.findLastIndex(({ record }) => {
      bytes += record.value?.byteLength ?? 0;
      return bytes > TAIL_BYTES;
    });
    this.#tail.splice(0, tooMuch + 1);
    for (const listener of this.listeners) listener();
  }

  rolledBack(): void {
    this.#inserted.length = 0;
  }

  read(from: number, limit: number, maxBytes: number): readonly Stored[] {
    if (from >= this.end) return [];
    const tailFrom = from - (this.#tail[0]?.offset ?? this.end);
    if (tailFrom >= 0) return upTo(maxBytes, this.#tail.slice(tailFrom, tailFrom + limit));
    return this.#file.named(() => {
      const found: Stored[] = [];
      let bytes = 0;
      for (let next = from; next < this.end && found.length < limit && bytes < maxBytes;) {
        // A few rows at a time are quicker than one; what is read of them in vain is little.
        const rows = this.#read.all(next, Math.min(ROWS_AT_ONCE, limit - found.length));
        for (const row of rows as unknown as readonly Row[]) {
          const [offset, recordedAt, key, headers, value] = row;
          found.push({
            offset,
            recordedAt,
            record: { key, headers: unpackHeaders(headers, key), value },
          });
          bytes += headers.length + (value?.byteLength ?? 0);
          if (bytes >= maxBytes) break;
        }
        next = (found.at(-1)?.offset ?? this.end) + 1;
      }
      return found;
    });
  }

  bounds(): Bounds {
    const row = this.#get(`SELECT min(offset) AS oldest FROM ${this.#table}`);
    const oldest = row?.['oldest'];
    return { start: typeof oldest === 'number' ? oldest : this.end, end: this.end };
  }

  /** Removes at most `limit` records that are older, from the oldest on, but not the newest; returns how many. */
  dropBefore(recordedBefore: number, limit: number): number {
    const newest = this.end - 1;
    const row = this.#get(
      `SELECT min(offset) AS kept FROM (SELECT offset, recorded_at FROM ${this.#table} ORDER BY offset LIMIT ?)
       WHERE recorded_at >= ? OR offset = ?`,
      limit + 1,
      recordedBefore,
      newest,
    );
    const kept = typeof row?.['kept'] === 'number' ? row['kept'] : this.bounds().start + limit;
    return this.#delete('offset < ?', kept);
  }

  /** Keeps the newest record of each key, and a tombstone for a day; returns how many are gone. */
  compact(now: number): number {
    if (this.#compactedTo === this.end) return 0;
    const removed = this.#delete(
      `offset < ? AND (
        offset NOT IN (SELECT max(offset) FROM ${this.#table} GROUP BY key)
        OR (value IS NULL AND recorded_at < ?))`,
      this.end - 1,
      now - TOMBSTONES_KEPT_MS,
    );
    this.#compactedTo = this.end;
    return removed;
  }

  #get(sql: string, ...parameters: number[]): Record<string, SQLOutputValue> | undefined {
    return this.#file.named(() => this.#file.prepare(sql).get(...parameters));
  }

  #delete(where: string, ...parameters: number[]): number {
    const sql = `DELETE FROM ${this.#table} WHERE ${where}`;
    this.#tail.length = 0;
    const { changes } = this.#file.transaction(() => this.#file.prepare(sql).run(...parameters));
    return Number(changes);
  }
}

/** From the beginning, at least one. */
function upTo(maxBytes: number, records: readonly Stored[]): readonly Stored[] {
  let bytes = 0;
  const last = records.findIndex(({ record }) => {
    bytes += record.value?.byteLength ?? 0;
    return bytes >= maxBytes;
  });
  return last === -1 ? records : records.slice(0, last + 1);
}
