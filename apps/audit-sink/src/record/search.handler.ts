import type { LogReader } from '../log/read.handler.ts';
import { type AuditRecord, recordOf } from './line.ts';
import { matches, type Search } from './search.ts';

/** How many records one request looks at: the rest is for the next page, even when this one is not full. */
const MOST_SCANNED = 20_000;

export interface Found {
  readonly items: readonly AuditRecord[];
  /** Give it back as `after` for the next page; absent when the beginning of the log is reached. */
  readonly next?: string;
}

/** Records that match, newest first. */
export async function searchRecords(reader: LogReader, search: Search): Promise<Found> {
  const items: AuditRecord[] = [];
  let scanned = 0;
  for await (const { position, line } of reader.newestFirst(search.after ?? Infinity)) {
    const record = recordOf(line);
    if (matches(search, record.manifest)) items.push(record);
    scanned += 1;
    const isEnough = items.length === search.limit || scanned === MOST_SCANNED;
    if (isEnough) return position === 0 ? { items } : { items, next: String(position) };
  }
  return { items };
}
