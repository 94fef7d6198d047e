import { type Migration, type Row, transform } from '@tidegate/migration';
import type { Key, Target } from '../target/target.port.ts';
import { keyIn, matched, pending } from './batch.ts';
import type { Report } from './run.ts';

type Json = Report[string];

const PAGE = 1_000;
const SAMPLES = 5;

const shown = (row: Row): Json => JSON.parse(JSON.stringify(row)) as Json;

/** What the migration would do, read through a connection that cannot write. Memory does not grow with the data. */
export async function planReport(migration: Migration, target: Target): Promise<Report> {
  const left = pending(migration);
  const samples: Json[] = [];
  const failures: Json[] = [];
  const fields: Record<string, number> = {};
  let wouldChange = 0;
  let failed = 0;
  for await (const row of rowsOf(target, migration)) {
    const result = transform(migration, row);
    if (result.kind === 'failed') {
      failed += 1;
      if (failures.length < SAMPLES) failures.push({ code: result.code, message: result.message });
    } else if (result.kind === 'changed') {
      wouldChange += 1;
      for (const field of result.fields) fields[field] = (fields[field] ?? 0) + 1;
      if (samples.length < SAMPLES)
        samples.push({ before: shown(result.before), after: shown(result.after) });
    }
  }
  return {
    matched: await target.count(matched(migration)),
    pending: await target.count(left),
    wouldChange,
    fields,
    failed,
    failures,
    samples,
    index: (await target.indexOf(left)) ?? 'none: every document is read',
    rollback: migration.down
      ? 'down is applied to every document that was changed'
      : 'none: the migration has no down',
  };
}

async function* rowsOf(target: Target, migration: Migration): AsyncGenerator<Row> {
  let after: Key | undefined;
  for (;;) {
    const rows = await target.page(pending(migration), after, PAGE);
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = keyIn(migration, last);
  }
}

/** An independent count of what is left, and the invariants over evenly spread documents. */
export async function verifyReport(
  migration: Migration,
  target: Target,
  sampleSize: number,
): Promise<{ report: Report; failure?: string }> {
  const total = await target.count(matched(migration));
  const left = await target.count(pending(migration));
  const broken: Json[] = [];
  let checked = 0;
  let after: Key | undefined;
  const step = Math.max(1, Math.floor(total / sampleSize));
  while (checked < sampleSize) {
    const rows = await target.page(matched(migration), after, step);
    const row = rows.at(-1);
    if (!row) break;
    after = keyIn(migration, row);
    checked += 1;
    for (const invariant of migration.invariants ?? [])
      if (!invariant.holds(row)) broken.push({ key: String(after), invariant: invariant.name });
  }
  const report = { matched: total, pending: left, checked, broken };
  const first =
    broken.length > 0 ? `${broken.length} of ${checked} samples break an invariant` : '';
  const unfinished = left > 0 ? `${left} of ${total} documents are still pending` : '';
  const failure = [unfinished, first].filter(Boolean).join('; ');
  return failure === '' ? { report } : { report, failure };
}
