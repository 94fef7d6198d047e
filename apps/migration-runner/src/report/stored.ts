import { MAX_REPORT_BYTES, type MigrationReport } from '@tidegate/contracts';
import type { Report } from '../run/run.ts';

/** From the first that is given up when a report is too large. */
const LISTS = [
  'mapping',
  'groups',
  'preserved',
  'samples',
  'listed',
  'mismatches',
  'lines',
] as const;

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** A report as it is kept and published: cut, and saying so, where it would be too large for a message. */
export function stored(report: MigrationReport): Report {
  const kept: Report = { ...(report as Report) };
  for (const list of LISTS) {
    const value = kept[list];
    if (!Array.isArray(value) || sizeOf(kept) <= MAX_REPORT_BYTES) continue;
    const others = sizeOf({ ...kept, [list]: [] });
    const items = upTo(value, MAX_REPORT_BYTES - others);
    const before = Number(kept[`${list}LeftOut`] ?? 0);
    kept[list] = items;
    kept[`${list}LeftOut`] = before + value.length - items.length;
  }
  return kept;
}

function upTo<T>(items: readonly T[], limit: number): T[] {
  let left = limit;
  const end = items.findIndex((item) => (left -= sizeOf(item) + 1) < 0);
  return items.slice(0, end === -1 ? items.length : end);
}
