import {
  type AnyMigration,
  brokenInvariant,
  type CutoverMigration,
  type Migration,
  type Row,
  transform,
} from '@tidegate/migration';
import type { Key, Selection, Target } from '../target/target.port.ts';
import { matched, pending } from './batch.ts';
import type { Act, Job } from './job.ts';
import type { Report } from './run.ts';
import type { Shift } from './shift.handler.ts';

type Json = Report[string];
type Found = { readonly report: Report; readonly failure?: string } | undefined;

export const plan: Act<Migration> = async (job) =>
  ended(job, await planReport(job.migration, job.target, job.shift));

export const verify: Act<Migration> = async (job) => {
  const { migration, target, shift, work } = job;
  await ended(job, await verifyReport(migration, target, work.sampleSize, shift));
};

export async function cutOver(job: Job<AnyMigration>): Promise<void> {
  await ended(job, { report: {} });
}

export async function switchBack(job: Job<CutoverMigration>): Promise<void> {
  await ended(job, { report: {} });
}

/** Undefined: the shift ended before everything was looked at. */
async function ended({ record }: Job<AnyMigration>, found: Found): Promise<void> {
  if (!found) return;
  const { report, failure } = found;
  if (failure === undefined) await record('FinishRun', { report });
  else await record('FailRun', { code: 'MIGRATION_NOT_VERIFIED', message: failure, report });
}

const PAGE = 1_000;
const SAMPLES = 5;

/** Integers too large for JSON as their digits, bytes by their number. */
const shown = (row: Row): Json =>
  JSON.parse(
    JSON.stringify(row, (_field, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      return ArrayBuffer.isView(value) ? `${value.byteLength} bytes` : value;
    }),
  ) as Json;

/**
 * What the migration would do, read through a connection that cannot write; undefined when the shift ended.
 * Memory does not grow with the data.
 */
async function planReport(
  migration: Migration,
  target: Target,
  shift: Shift,
): Promise<{ report: Report } | undefined> {
  const left = pending(migration);
  const samples: Json[] = [];
  const failures: Json[] = [];
  const fields: Record<string, number> = {};
  let wouldChange = 0;
  let failed = 0;
  for await (const row of rowsOf(target, left)) {
    if (!(await shift.goOn())) return undefined;
    const result = transform(migration, row);
    if (result.kind === 'failed') {
      failed += 1;
      if (failures.length < SAMPLES) failures.push({ code: result.code, message: result.message });
    } else if (result.kind === 'changed') {
      wouldChange += 1;
      for (const field of result.changes.map(({ path }) => path[0] ?? ''))
        fields[field] = (fields[field] ?? 0) + 1;
      if (samples.length < SAMPLES)
        samples.push({ before: shown(result.before), after: shown(result.after) });
    }
  }
  const report = {
    matched: await target.count(matched(migration)),
    pending: await target.count(left),
    wouldChange,
    fields,
    failed,
    failures,
    samples,
    index: (await target.readBy(left)).index ?? 'none: every document is read',
    rollback: migration.down
      ? 'down undoes up, one document at a time; the runner does not apply it by itself'
      : 'none: the migration has no down',
  };
  return { report };
}

async function* rowsOf(target: Target, selection: Selection): AsyncGenerator<Row> {
  let after: Key | undefined;
  for (;;) {
    const rows = await target.page(selection, after, PAGE);
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = target.keyOf(selection, last);
  }
}

/**
 * An independent count of what is left, and the invariants over evenly spread documents; undefined when the shift
 * ended. `failure` says what is wrong, with the first keys that break an invariant.
 */
async function verifyReport(
  migration: Migration,
  target: Target,
  sampleSize: number,
  shift: Shift,
): Promise<{ report: Report; failure?: string } | undefined> {
  const all = matched(migration);
  const total = await target.count(all);
  const left = await target.count(pending(migration));
  const step = Math.max(1, Math.floor(total / sampleSize));
  const firstBroken: string[] = [];
  let read = 0;
  let checked = 0;
  let broken = 0;
  for await (const row of rowsOf(target, all)) {
    if (checked === sampleSize) break;
    if (!(await shift.goOn())) return undefined;
    read += 1;
    if (read % step !== 0) continue;
    checked += 1;
    const what = brokenInvariant(migration, row);
    if (what === undefined) continue;
    broken += 1;
    if (broken <= SAMPLES) firstBroken.push(`${target.keyOf(all, row)} breaks ${what}`);
  }
  const problems = [
    ...(left > 0 ? [`${left} of ${total} documents are still pending`] : []),
    ...(broken > 0
      ? [`${broken} of ${checked} samples break an invariant: ${firstBroken.join(', ')}`]
      : []),
  ];
  const report = { matched: total, pending: left, checked, broken };
  return problems.length === 0 ? { report } : { report, failure: problems.join('; ') };
}
