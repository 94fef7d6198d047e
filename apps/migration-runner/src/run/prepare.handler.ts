import type { FailedDocument } from '@tidegate/contracts';
import { isAppError } from '@tidegate/kernel';
import { type Edit, type Row, transform } from '@tidegate/migration';
import type { Keeping } from '../journal/journal.port.ts';
import { type KeptEdit, keptEdit, type KeptFor } from '../journal/kept.ts';
import { bytesOf } from '../report/size.ts';
import type { Key } from '../target/target.port.ts';
import { matched, pending } from './batch.ts';
import { keyText, listedIn, stopFor } from './failures.ts';
import type { Job } from './job.ts';
import type { Work } from './run.ts';

/** A page of documents, transformed, and its way back kept: ready to be written. */
export interface Prepared {
  readonly first: Key;
  readonly last: Key;
  readonly rows: number;
  readonly edits: readonly Edit[];
  readonly failures: readonly FailedDocument[];
  /** In the order of `failures`. */
  readonly failed: readonly Row[];
  /** False: the journal had no room, and nothing of it may be written. */
  readonly isKept: boolean;
  /** How large they are, about. */
  readonly documentBytes: number;
  /** What it took, but for finding them. */
  readonly madeMs: number;
}

export type Preparation = Prepared | 'no-more' | 'shift-ended';

/** What a batch is prepared for. */
export interface Order {
  readonly work: Work;
  /** Number of the batch. */
  readonly batch: number;
  readonly after: Key | undefined;
  readonly size: number;
  readonly kind: KeptFor;
  /** How large documents were in the batch before; undefined: not known yet. */
  readonly documentBytes?: number;
}

/** A batch has fewer documents where they are large, so that memory does not grow with them. */
const BATCH_BYTES = 16 * 1_048_576;
const MEASURED = 20;

/** Reads, transforms and keeps the next page of what is pending. */
export async function prepare(job: Job, order: Order): Promise<Preparation> {
  const { migration, target, faults, run, clock } = job;
  const page = await nextPage(job, order);
  const since = clock.now();
  const [first, last] = [page[0], page.at(-1)];
  if (!first || !last) return 'no-more';
  await faults.at('batch.read', `migration-runs/${run}`);
  const selection = matched(migration);
  const known = listedIn(order.work);
  const rows =
    known.size === 0
      ? page
      : page.filter((row) => !known.has(keyText({ key: target.keyOf(selection, row) })));
  const made = await transformed(job, rows);
  if (!made) return 'shift-ended';
  // What stops the run stops it before anything of this batch is kept or written.
  const isKept =
    stopFor(order.work, made.failures) !== undefined || (await keepEdits(job, order, made.edits));
  const keys = { first: target.keyOf(selection, first), last: target.keyOf(selection, last) };
  const madeMs = Math.max(0, clock.now() - since);
  return { ...keys, rows: rows.length, ...made, isKept, documentBytes: averageBytes(page), madeMs };
}

async function nextPage({ migration, target }: Job, order: Order): Promise<readonly Row[]> {
  const { after, size } = order;
  const left = pending(migration);
  let bytes = order.documentBytes;
  if (bytes === undefined && size > MEASURED) {
    const some = await target.page(left, after, MEASURED);
    if (some.length < MEASURED) return some;
    bytes = averageBytes(some);
  }
  const most = bytes === undefined ? size : Math.max(1, Math.floor(BATCH_BYTES / bytes));
  return target.page(left, after, Math.min(size, most));
}

/** Of some that are spread over the page. */
function averageBytes(page: readonly Row[]): number {
  const step = Math.ceil(page.length / MEASURED);
  const some = page.filter((_row, at) => at % step === 0);
  return some.reduce((sum, row) => sum + bytesOf(row), 0) / some.length;
}

export interface Made {
  readonly edits: readonly Edit[];
  readonly failures: readonly FailedDocument[];
  readonly failed: readonly Row[];
}

/** Undefined when the shift ended. */
export async function transformed(
  { migration, target, shift }: Job,
  rows: readonly Row[],
): Promise<Made | undefined> {
  const edits: Edit[] = [];
  const failures: FailedDocument[] = [];
  const failed: Row[] = [];
  for (const row of rows) {
    if (!(await shift.goOn())) return undefined;
    const result = transform(migration, row);
    if (result.kind === 'changed') edits.push(result);
    if (result.kind !== 'failed') continue;
    const { code, message } = result;
    failures.push({ key: target.keyOf(matched(migration), row), code, message });
    failed.push(row);
  }
  return { edits, failures, failed };
}

/** Before they are written. False: there is no room for it. */
export async function keepEdits(
  job: Job,
  order: Pick<Order, 'batch' | 'kind'>,
  edits: readonly Edit[],
): Promise<boolean> {
  if (edits.length === 0) return true;
  const isKept = await kept(job, order, edits);
  await job.faults.at('batch.journaled', `migration-runs/${job.run}`);
  return isKept;
}

/** In several records where documents differ in so many paths that one has no room for them. */
async function kept(
  job: Job,
  order: Pick<Order, 'batch' | 'kind'>,
  edits: readonly Edit[],
): Promise<boolean> {
  try {
    return (await job.journal.keep(keepingOf(job, order, edits))) !== undefined;
  } catch (error) {
    const isTooLarge = isAppError(error) && error.code === 'STORE_DOCUMENT_TOO_LARGE';
    if (!isTooLarge || edits.length === 1) throw error;
    const half = Math.ceil(edits.length / 2);
    return (await kept(job, order, edits.slice(0, half))) && kept(job, order, edits.slice(half));
  }
}

function keepingOf(
  { run, work, migration, target, shift }: Job,
  { batch, kind }: Pick<Order, 'batch' | 'kind'>,
  edits: readonly Edit[],
): Keeping {
  const selection = matched(migration);
  const hasImages = kind === 'backup' || work.backup !== 'none';
  let last: KeptEdit | undefined;
  const keptEdits = edits.map((edit) => {
    last = keptEdit(target.keyOf(selection, edit.before), edit, last?.shape);
    return last;
  });
  return {
    run,
    definitionHash: work.definitionHash,
    kind,
    batch,
    fence: shift.fence,
    edits: keptEdits,
    ...(hasImages ? { images: edits.map(({ before }) => before) } : {}),
  };
}
