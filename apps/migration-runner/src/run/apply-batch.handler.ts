import type { MigrationCounts } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { type Edit, type Migration, type Row, transform } from '@tidegate/migration';
import type { Key, Target } from '../target/target.port.ts';
import { countsOf, matched, pending } from './batch.ts';
import type { Shift } from './shift.handler.ts';

const CONFLICT_RETRIES = 5;

export interface AppliedBatch {
  readonly first: Key;
  readonly last: Key;
  readonly counts: MigrationCounts;
}

/**
 * Transforms and writes a page of documents; undefined when the shift ended before anything was written.
 * Thrown when a document must stop the run: the codes of `transform`, and MIGRATION_KEY_UNUSABLE.
 */
export async function applyBatch(
  migration: Migration,
  target: Target,
  rows: readonly Row[],
  shift: Shift,
): Promise<AppliedBatch | undefined> {
  const keys = rows.map((row) => target.keyOf(matched(migration), row));
  let changed = 0;
  let unchanged = 0;
  let left = rows;
  for (let attempt = 0; left.length > 0 && attempt < CONFLICT_RETRIES; attempt += 1) {
    const { writes, stop } = await prepared(migration, left, shift);
    // What an earlier attempt has written must be recorded; the others are still pending, for the next sweep.
    if (stop && attempt > 0) break;
    if (stop === 'shift-ended') return undefined;
    if (stop) throw stop;
    unchanged += left.length - writes.length;
    const results = await target.write(matched(migration), writes);
    changed += results.filter((result) => result === 'written').length;
    const lost = writes.filter((_write, index) => results[index] === 'conflict');
    left = lost.length === 0 ? [] : await reread(target, migration, lost);
  }
  const counts = countsOf(rows.length, changed, unchanged);
  return { first: keys[0] as Key, last: keys.at(-1) as Key, counts };
}

/** What is to be written, and what stopped it: the end of the shift, or a document that must not be written. */
interface Prepared {
  readonly writes: readonly Edit[];
  readonly stop?: 'shift-ended' | AppError;
}

async function prepared(
  migration: Migration,
  rows: readonly Row[],
  shift: Shift,
): Promise<Prepared> {
  const writes: Edit[] = [];
  for (const row of rows) {
    if (!(await shift.goOn())) return { writes, stop: 'shift-ended' };
    const result = transform(migration, row);
    if (result.kind === 'failed')
      return { writes, stop: new AppError(result.code, result.message) };
    if (result.kind === 'changed') writes.push(result);
  }
  return { writes };
}

/** What somebody edited meanwhile is read again; what they deleted or completed is no longer ours. */
const reread = (target: Target, migration: Migration, lost: readonly Edit[]) =>
  target.find(
    pending(migration),
    lost.map(({ before }) => target.keyOf(matched(migration), before)),
  );
