import type { FailedDocument, MigrationCounts } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import type { MigrationErrorCode } from '../errors.ts';
import { floorOf, undoneRuns } from '../journal/journal.handler.ts';
import type { JournalMark } from '../journal/journal.port.ts';
import type { Kept } from '../journal/kept.ts';
import { type KnownRun, standingOf } from '../migration/standing.ts';
import { keyText, listedIn } from '../run/failures.ts';
import type { Job } from '../run/job.ts';
import { type Report, type Run, undoesItselfFrom, type Work } from '../run/run.ts';
import { revertReport } from '../report/ended.ts';
import { putBack } from './put-back.handler.ts';

/** More than these are in the quarantine alone. */
const LISTED_IN_RUN = 1_000;

/** What one revert goes through. */
interface Reach {
  /** The places of the journal, newest first, from here … */
  readonly from: number;
  /** … to above here. */
  readonly floor: number;
  /** Those of the batches that were kept there. */
  readonly taken: (batches: readonly Kept[]) => readonly Kept[];
  /** The runs whose batches these are; undefined: all there are. */
  readonly of?: ReadonlySet<string>;
}

/**
 * Walks the journal, newest first, down to what was undone before, and puts back what it finds. An execute that failed
 * finds only what it kept itself, a rollout what its own runs kept: what others kept is not theirs to undo.
 */
export async function revert(job: Job): Promise<void> {
  const reach = await reachOf(job);
  const { from, floor } = reach;
  let work = await measured(job, floor);
  let ahead = reading(job, job.work.journalAt ?? from + 1);
  try {
    while (work) {
      if ((await job.pacing.begin({ work, target: job.target }, job.shift)) === undefined) return;
      const batches: readonly Kept[] = unwrapped(await ahead);
      const place = batches[0]?.place ?? 0;
      if (place <= floor) return await finish(job, work, reach);
      ahead = reading(job, place);
      const taken = reach.taken(batches);
      if (taken.length === 0) continue;
      const run = await undo(job, work, taken);
      work = run?.status === 'running' ? run.work : undefined;
    }
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
  return run.status === 'running' ? run.work : undefined;
}

async function reachOf(job: Job): Promise<Reach> {
  const marks = await job.journal.marks();
  const from = await beginning(job, marks);
  const [floor, undone] = [floorOf(marks), undoneRuns(marks)];
  const own = await ownRuns(job);
  if (!own)
    return { from, floor, taken: (batches) => batches.filter(({ run }) => !undone.has(run)) };
  const of = new Set(own.map(({ id }) => id));
  // An older backup of others is not gone through: what has no way back without it is listed, for a revert that does.
  const hasBackup = own.some(({ run }) => run.work.action === 'backup');
  const taken = (batches: readonly Kept[]) =>
    batches
      .filter(({ run }) => of.has(run) && !undone.has(run))
      .map((kept) => ({ ...kept, hasBackupBelow: kept.hasBackupBelow && hasBackup }));
  const begins = own.map(({ run }) => (run.work.action === 'backup' ? 0 : run.work.journalFrom));
  const lowest = Math.min(...begins.filter((place) => place !== undefined), from);
  return { from, floor: Math.max(floor, lowest), taken, of };
}

/** Whose changes alone are to be undone: those of a rollout, or of an execute that failed. Undefined: everybody's. */
async function ownRuns({ run, work, runsOf }: Job): Promise<readonly KnownRun[] | undefined> {
  const { action, migration, rollout } = work;
  const isItself = undoesItselfFrom(work) !== undefined;
  if (!isItself && (action !== 'revert' || !rollout)) return undefined;
  const keeps = ({ work: { action: its } }: KnownRun['run']) =>
    its === 'execute' || its === 'backup';
  return (await runsOf(migration)).filter((each) =>
    isItself ? each.id === run : keeps(each.run) && each.run.work.rollout?.id === rollout?.id,
  );
}

/** Where this revert began, also if that was another runner's doing. */
async function beginning(
  { run, work, journal }: Job,
  marks: readonly JournalMark[],
): Promise<number> {
  const [top, floor] = [await journal.top(), floorOf(marks)];
  const begun = marks.find((mark) => mark.kind === 'reverting' && mark.run === run);
  if (begun) return begun.place;
  const given = forgottenBy(marks);
  if (top <= floor && given && !work.reverting)
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_NOT_READY',
      `The way back of ${work.migration} was given up by the cleanup ${given}.`,
    );
  await journal.mark({ kind: 'reverting', run, place: top });
  return top;
}

const forgottenBy = (marks: readonly JournalMark[]): string | undefined =>
  marks.findLast(({ kind }) => kind === 'forgotten')?.run;

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
    counts = sum(counts, done.counts);
    failures.push(...done.failures);
    for (const failure of done.failures) listed.add(keyText(failure));
  }
  await faults.at('revert.written', `migration-runs/${run}`);
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
  if (failed === 0) await mark(job, work, reach);
  const others = (await job.runsOf(work.migration)).filter(({ id }) => id !== job.run);
  const wasCutOver = standingOf(others).cutOver;
  await job.record('FinishRun', { report: reportOf(work, job.clock.now(), wasCutOver) });
}

async function mark(job: Job, work: Work, { from: place, of }: Reach): Promise<void> {
  if (!of || (await isAllKept(job, work)))
    await job.journal.mark({ kind: 'reverted', run: job.run, place });
  else for (const run of of) await job.journal.mark({ kind: 'undone', run, place });
}

/** Where nothing else is kept, its room is free as after any other revert. */
async function isAllKept({ journal }: Job, { total }: Work): Promise<boolean> {
  const floor = floorOf(await journal.marks());
  return total.matched === (await journal.editsAbove(floor));
}

function reportOf(work: Work, endedAt: number, wasCutOver: boolean): Report {
  const { changed, skipped, mismatched, failed = 0 } = work.total;
  const listed = work.failures
    .filter(({ code }) => code !== 'MIGRATION_DOCUMENT_GONE')
    .map(({ key, message }) => ({ key, reason: message }));
  const counts = { restored: changed, unchanged: skipped, gone: mismatched, notUndone: failed };
  return revertReport({ ...work, lines: work.lines ?? [], ...counts, listed, endedAt, wasCutOver });
}
