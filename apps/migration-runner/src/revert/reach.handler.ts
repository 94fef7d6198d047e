import { AppError } from '@tidegate/kernel';
import type { MigrationErrorCode } from '../errors.ts';
import { floorOf, undoneRuns } from '../journal/journal.handler.ts';
import type { JournalMark } from '../journal/journal.port.ts';
import type { Kept } from '../journal/kept.ts';
import type { KnownRun } from '../migration/standing.ts';
import type { Job } from '../run/job.ts';
import { undoesItselfFrom } from '../run/run.ts';

/** What one revert goes through. */
export interface Reach {
  /** The places of the journal, newest first, from here … */
  readonly from: number;
  /** … to above here. */
  readonly floor: number;
  /** Some of it was kept above a backup that may have its images. */
  readonly hasBackup: boolean;
  /** Those of the batches that were kept there. */
  readonly taken: (batches: readonly Kept[]) => readonly Kept[];
  /** The runs whose batches these are; undefined: all there are. */
  readonly of?: ReadonlySet<string>;
}

/** An execute that failed finds only what it kept itself, a rollout what its own runs kept: the rest is not theirs to undo. */
export async function reachOf(job: Job): Promise<Reach> {
  const marks = await job.journal.marks();
  const from = await beginning(job, marks);
  const [floor, undone] = [floorOf(marks), undoneRuns(marks)];
  const own = await ownRuns(job);
  const newest = await job.journal.below(from + 1, 'edits');
  const isAbove = newest.some((kept) => kept.place > floor && kept.hasBackupBelow);
  if (!own) {
    const taken = (batches: readonly Kept[]) => batches.filter(({ run }) => !undone.has(run));
    return { from, floor, hasBackup: isAbove, taken };
  }
  const of = new Set(own.map(({ id }) => id));
  // An older backup of others is not gone through: what has no way back without it is listed, for a revert that does.
  const hasBackup = own.some(({ run }) => run.work.action === 'backup');
  const taken = (batches: readonly Kept[]) =>
    batches
      .filter(({ run }) => of.has(run) && !undone.has(run))
      .map((kept) => ({ ...kept, hasBackupBelow: kept.hasBackupBelow && hasBackup }));
  const begins = own.map(({ run }) => (run.work.action === 'backup' ? 0 : run.work.journalFrom));
  const lowest = Math.min(...begins.filter((place) => place !== undefined), from);
  return { from, floor: Math.max(floor, lowest), hasBackup: isAbove && hasBackup, taken, of };
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

/** Only what may have had to be put back from a backup: what those have put back is as it was, by then. */
export const withoutBackups = ({ taken, ...reach }: Reach): Reach => ({
  ...reach,
  taken: (batches) =>
    taken(batches).flatMap((kept) =>
      kept.hasBackupBelow && !kept.images ? [{ ...kept, hasBackupBelow: false }] : [],
    ),
});

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
