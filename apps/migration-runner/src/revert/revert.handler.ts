import type { FailedDocument, MigrationCounts } from '@tidegate/contracts';
import { floorOf, undoneRuns } from '../journal/journal.handler.ts';
import type { Kept } from '../journal/kept.ts';
import { standingOf } from '../migration/standing.ts';
import { keyText, listedIn } from '../run/failures.ts';
import type { Job } from '../run/job.ts';
import { type Report, type Run, undoesItselfFrom, type Work } from '../run/run.ts';
import { revertReport } from '../report/ended.ts';
import { putBack } from './put-back.handler.ts';
import { type Reach, reachOf, withoutBackups } from './reach.handler.ts';

/** More than these are in the quarantine alone. */
const LISTED_IN_RUN = 1_000;

/**
 * Walks the journal, newest first, down to what was undone before, and puts back what it finds. Where older backups lie in
 * it, it walks once more, for what had no before-image of its own and found none there either: that is listed.
 */
export async function revert(job: Job): Promise<void> {
  const reach = await reachOf(job);
  let work = await measured(job, reach.floor);
  while (work) {
    const isLast = isSecond(work) || !reach.hasBackup;
    const walked = await walk(job, work, isSecond(work) ? withoutBackups(reach) : reach);
    if (!walked) return;
    if (isLast) return finish(job, walked, reach);
    work = running(await job.record('EndSweep', { left: 0 }));
  }
}

/** An execute has sweeps of its own; it asks no older backup. */
const isSecond = (work: Work): boolean => undoesItselfFrom(work) === undefined && work.sweep > 1;

const running = (run: Run | undefined): Work | undefined =>
  run?.status === 'running' ? run.work : undefined;

/** One walk, to its end or from where it was left. Undefined when the run or the shift ended before. */
async function walk(
  job: Job,
  begun: Work,
  { from, floor, taken }: Reach,
): Promise<Work | undefined> {
  // A walk that has recorded nothing yet has no checkpoint; the place is that of the walk before.
  const place = begun.checkpoint === undefined ? undefined : begun.journalAt;
  let ahead = reading(job, place ?? from + 1);
  try {
    for (let work: Work | undefined = begun; work;) {
      if ((await job.pacing.begin({ work, target: job.target }, job.shift)) === undefined)
        return undefined;
      const batches: readonly Kept[] = unwrapped(await ahead);
      const at = batches[0]?.place ?? 0;
      if (at <= floor) return work;
      ahead = reading(job, at);
      const some = taken(batches);
      if (some.length > 0) work = running(await undo(job, work, some));
    }
    return undefined;
  } finally {
    await ahead;
  }
}

type Read = { readonly batches: readonly Kept[] } | { readonly error: unknown };

/** The next batch is read while one is put back. Never rejects: nobody may await it for a while. */
const reading = ({ journal }: Job, below: number): Promise<Read> =>
  journal.below(below).then(
    (batches) => ({ batches }),
    (error: unknown) => ({ error }),
  );

function unwrapped(read: Read): readonly Kept[] {
  if ('error' in read) throw read.error;
  return read.batches;
}

/** How much there is to look at, once. */
async function measured({ work, journal, record }: Job, floor: number): Promise<Work | undefined> {
  if (work.expected !== undefined || work.journalAt !== undefined) return work;
  const run = await record('MeasureRun', { expected: await journal.editsAbove(floor) });
  return running(run);
}

/** One place of the journal. Undefined when the shift ended. */
async function undo(job: Job, work: Work, batches: readonly Kept[]): Promise<Run | undefined> {
  const { run, faults, clock, pacing } = job;
  const startedAt = clock.now();
  const listed = new Set(listedIn(work));
  let counts: MigrationCounts = { matched: 0, changed: 0, skipped: 0, mismatched: 0, failed: 0 };
  const failures: FailedDocument[] = [];
  await faults.at('revert.read', `migration-runs/${run}`);
  for (const kept of batches) {
    const done = await putBack(job, kept, listed);
    if (!done) return undefined;
    counts = sum(counts, isSecond(work) ? newIn(done.counts) : done.counts);
    failures.push(...done.failures);
    for (const failure of done.failures) listed.add(keyText(failure));
  }
  await faults.at('revert.written', `migration-runs/${run}`);
  if (isSecond(work) && counts.matched === 0) return { status: 'running', work };
  if (failures.length > 0) await job.quarantine.add({ migration: work.migration, run }, failures);
  const tookMs = Math.max(0, clock.now() - startedAt);
  const edits = batches.flatMap((kept) => kept.edits);
  const [first, last, place] = [edits[0]?.key, edits.at(-1)?.key, batches[0]?.place];
  if (first === undefined || last === undefined || place === undefined) return undefined;
  const state = await job.record('RecordBatch', {
    first,
    last,
    counts,
    tookMs,
    journalAt: place,
    nextSize: pacing.ended(work, { documents: counts.matched, tookMs }),
    failures: failures.slice(0, Math.max(0, LISTED_IN_RUN - work.failures.length)),
  });
  await faults.at('revert.recorded', `migration-runs/${run}`);
  return state;
}

/** What is as it was before has been counted by the first walk. */
const newIn = (counts: MigrationCounts): MigrationCounts => ({
  ...counts,
  matched: counts.matched - counts.skipped,
  skipped: 0,
});

const sum = (a: MigrationCounts, b: MigrationCounts): MigrationCounts => ({
  matched: a.matched + b.matched,
  changed: a.changed + b.changed,
  skipped: a.skipped + b.skipped,
  mismatched: a.mismatched + b.mismatched,
  failed: (a.failed ?? 0) + (b.failed ?? 0),
});

/** What is listed may be undone yet, once its reason is gone: nothing is marked then, so that its way back stays. */
async function finish(job: Job, work: Work, reach: Reach): Promise<void> {
  const { failed = 0 } = work.total;
  if (failed === 0) await mark(job, reach);
  const others = (await job.runsOf(work.migration)).filter(({ id }) => id !== job.run);
  const wasCutOver = standingOf(others).cutOver;
  await job.record('FinishRun', { report: reportOf(work, job.clock.now(), wasCutOver) });
}

async function mark(job: Job, reach: Reach): Promise<void> {
  const { from: place, of } = reach;
  if (!of || (await isAllKept(job, reach)))
    await job.journal.mark({ kind: 'reverted', run: job.run, place });
  else for (const run of of) await job.journal.mark({ kind: 'undone', run, place });
}

/** Where nothing else is kept, its room is free as after any other revert. */
async function isAllKept({ journal }: Job, { from, of }: Reach): Promise<boolean> {
  const marks = await journal.marks();
  const [floor, undone] = [floorOf(marks), undoneRuns(marks)];
  for (let place = from + 1; ;) {
    const batches = await journal.below(place, 'edits');
    const [newest] = batches;
    if (!newest || newest.place <= floor) return true;
    if (batches.some(({ run }) => !undone.has(run) && !of?.has(run))) return false;
    place = newest.place;
  }
}

function reportOf(work: Work, endedAt: number, wasCutOver: boolean): Report {
  const { changed, skipped, mismatched, failed = 0 } = work.total;
  const listed = work.failures
    .filter(({ code }) => code !== 'MIGRATION_DOCUMENT_GONE')
    .map(({ key, message }) => ({ key, reason: message }));
  const counts = { restored: changed, unchanged: skipped, gone: mismatched, notUndone: failed };
  return revertReport({ ...work, lines: work.lines ?? [], ...counts, listed, endedAt, wasCutOver });
}
