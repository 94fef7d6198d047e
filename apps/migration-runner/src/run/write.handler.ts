import type { FailedDocument } from '@tidegate/contracts';
import { isRetryable, shortened } from '@tidegate/kernel';
import type { Edit, Row } from '@tidegate/migration';
import type { Written } from '../target/target.port.ts';
import { matched, pending } from './batch.ts';
import type { Job } from './job.ts';
import { keepEdits, type Order, type Prepared, transformed } from './prepare.handler.ts';
import { reconcile } from './reconcile.handler.ts';

const CONFLICT_RETRIES = 5;

/** What became of a batch. */
export interface Applied {
  readonly changed: number;
  /** Left as they were, as there was nothing to change. */
  readonly skipped: number;
  readonly failures: readonly FailedDocument[];
  /** In the order of `failures`. */
  readonly failed: readonly Row[];
}

/**
 * Writes a batch; what somebody edited meanwhile is read, transformed and written again. What they deleted or completed is
 * no longer ours. Undefined when the shift ended before anything was written.
 */
export async function writeBatch(
  job: Job,
  order: Order,
  { rows, edits: prepared, failures, failed }: Prepared,
): Promise<Applied | undefined> {
  const skipped = rows - prepared.length - failures.length;
  const applied = { changed: 0, skipped, failures: [...failures], failed: [...failed] };
  let edits = prepared;
  for (let attempt = 0; edits.length > 0 && attempt < CONFLICT_RETRIES; attempt += 1) {
    // What an earlier attempt has written must be recorded; the others are still pending, for the next sweep.
    if (!(await job.shift.mayWrite())) return attempt === 0 ? undefined : applied;
    const results = await written(job, order, edits);
    applied.changed += results.filter((result) => result === 'written').length;
    addRefused(job, edits, results, applied);
    const lost = edits.filter((_edit, index) => results[index] === 'conflict');
    edits = lost.length === 0 ? [] : await again(job, order, lost, applied);
  }
  return applied;
}

/** When it fails for good, what may have been written is counted before the run fails. */
async function written(
  job: Job,
  order: Order,
  edits: readonly Edit[],
): Promise<readonly Written[]> {
  try {
    return await job.target.write(matched(job.migration), edits);
  } catch (error) {
    if (!isRetryable(error)) await reconcile(job, order.work);
    throw error;
  }
}

function addRefused(
  { target, migration }: Job,
  edits: readonly Edit[],
  results: readonly Written[],
  applied: { failures: FailedDocument[]; failed: Row[] },
): void {
  results.forEach((result, index) => {
    const before = edits[index]?.before;
    if (typeof result === 'string' || !before) return;
    const key = target.keyOf(matched(migration), before);
    const message = `The database refuses what up makes of ${migration.collection} ${key}: ${result.refused}`;
    const code = 'MIGRATION_DOCUMENT_REFUSED';
    applied.failures.push({ key, code, message: shortened(message) });
    applied.failed.push(before);
  });
}

/** Those of the lost that are still pending, transformed and kept anew; none when the shift ended or there is no room. */
async function again(
  job: Job,
  order: Order,
  lost: readonly Edit[],
  applied: { failures: FailedDocument[]; failed: Row[] },
): Promise<readonly Edit[]> {
  const { target, migration } = job;
  const keys = lost.map(({ before }) => target.keyOf(matched(migration), before));
  const made = await transformed(job, await target.find(pending(migration), keys));
  if (!made || !(await keepEdits(job, order, made.edits))) return [];
  applied.failures.push(...made.failures);
  applied.failed.push(...made.failed);
  return made.edits;
}
