import type { MigrationAction, MigrationCounts } from '@tidegate/contracts';
import type { MigrationErrorCode } from '../errors.ts';
import { isBegun, mayUndo, OVERTAKEN, type Run, undoesItselfFrom, type Work } from '../run/run.ts';

/** A run that was accepted, by its id. */
export interface KnownRun {
  readonly id: string;
  readonly run: Exclude<Run, { status: 'absent' }>;
}

/** How a migration stands, after all its runs. */
export interface Standing {
  /** How much of it is done. `partly` also while it is executed or reverted, and where that was left. */
  readonly done: 'nothing' | 'partly' | 'all';
  /** The text that was executed, and by which run. */
  readonly text?: { readonly hash: string; readonly run: string } | undefined;
  /** The text under which it was verified since it was last executed. */
  readonly verified?: string | undefined;
  /** It was proven that the new form alone may be read. */
  readonly cutOver: boolean;
  /** The run that has given up, or begun to, the way back. */
  readonly forgottenBy?: string | undefined;
  /** For which rollouts it was executed since it was last undone, undefined for none, and the text that it had then. */
  readonly executedFor: readonly {
    readonly rollout: string | undefined;
    readonly text: Standing['text'];
  }[];
  /** Runs under way that write. */
  readonly writing: readonly { readonly id: string; readonly action: MigrationAction }[];
}

export const untouched: Standing = {
  done: 'nothing',
  cutOver: false,
  executedFor: [],
  writing: [],
};

const WRITING: ReadonlySet<MigrationAction> = new Set(['backup', 'execute', 'revert', 'cleanup']);
export const writes = (action: MigrationAction): boolean => WRITING.has(action);

/** Folds the runs of one migration, given in any order. */
export const standingOf = (runs: readonly KnownRun[]): Standing =>
  [...runs].sort((a, b) => placeOf(a) - placeOf(b)).reduce(after, untouched);

/**
 * What runs comes last. What was paused, cancelled then, or overtaken stands where it last did something: what others did
 * since counts more.
 */
function placeOf({ run }: KnownRun): number {
  if (run.status === 'running') return Infinity;
  const { status, work } = run;
  const isOld = status === 'paused' || status === 'cancelled';
  if (!isOld && !(status === 'failed' && run.code === OVERTAKEN)) return run.endedAt;
  return work.lines?.at(-1)?.at ?? work.startedAt;
}

function after(before: Standing, { id, run }: KnownRun): Standing {
  const { work, status } = run;
  const { action, reverting } = work;
  const writesNow = status === 'running' && (writes(action) || reverting !== undefined);
  const standing = writesNow ? { ...before, writing: [...before.writing, { id, action }] } : before;
  if (isUnbegun(run)) return standing;
  if (reverting) return undoing(standing, id, run);
  switch (action) {
    case 'execute':
      return executed(standing, id, run);
    case 'verify':
      if (status === 'completed') return { ...standing, verified: work.definitionHash };
      return isDisproved(run) ? { ...standing, verified: undefined } : standing;
    case 'revert':
      if (status === 'completed') return taken(standing, work);
      return standing.done === 'nothing' ? standing : partly(standing);
    case 'cutover':
      return status === 'completed' ? cutOver(standing, work) : standing;
    case 'cleanup':
      return { ...standing, forgottenBy: standing.forgottenBy ?? id };
    case 'plan':
    case 'backup':
      return standing;
  }
}

/** A run that was refused by what it found before it touched anything. */
const isUnbegun = (run: KnownRun['run']): boolean => run.status === 'failed' && !mayUndo(run.code);

/** That a verify could not look, as when the database was away, says nothing. */
export const isDisproved = (run: KnownRun['run']): boolean =>
  run.status === 'failed' && run.code === ('MIGRATION_NOT_VERIFIED' satisfies MigrationErrorCode);

const partly = (standing: Standing): Standing => ({
  ...standing,
  done: 'partly',
  verified: undefined,
});

/** What is listed is still as the migration made it, and may be undone yet; what is gone is not. */
const isAllUndone = ({ failed = 0 }: MigrationCounts): boolean => failed === 0;

/** What undid only itself has left what was executed before, and what was pending beside it. */
function undoing(standing: Standing, id: string, run: KnownRun['run']): Standing {
  const { work } = run;
  const isItself = undoesItselfFrom(work) !== undefined;
  if (run.status !== 'failed' || !run.reverted || !isAllUndone(run.reverted))
    return partly(work.action === 'execute' ? executed(standing, id, run) : standing);
  return isItself && standing.done !== 'nothing' ? partly(standing) : undone(standing);
}

/** Those that executed it as well, and are not the rollout's to take back. */
export const othersThan = (rollout: string, { executedFor }: Standing) =>
  executedFor.filter((each) => each.rollout !== rollout);

/**
 * A rollout takes back what it did itself, its flag is back as well; what others did stays, and is in part where it took
 * back something.
 */
function taken(standing: Standing, { rollout, total }: Work): Standing {
  if (!isAllUndone(total)) return partly(standing);
  const others = rollout ? othersThan(rollout.id, standing) : [];
  const last = others.at(-1);
  if (!last) return undone(standing);
  const left = { ...standing, executedFor: others, text: last.text, cutOver: false };
  return total.matched === 0 ? left : partly(left);
}

/** As if it had never been executed: its text may be another one from here on. */
const undone = (standing: Standing): Standing => ({
  ...standing,
  done: 'nothing',
  text: undefined,
  verified: undefined,
  cutOver: false,
  executedFor: [],
});

/** Documents are all migrated before; of the phase cutover it is the execute. */
const cutOver = (standing: Standing, { rollout }: Work): Standing => ({
  ...standing,
  done: 'all',
  cutOver: true,
  executedFor:
    standing.done === 'all'
      ? standing.executedFor
      : [...standing.executedFor, { rollout: rollout?.id, text: standing.text }],
});

function executed(standing: Standing, id: string, { status, work }: KnownRun['run']): Standing {
  const completed = status === 'completed';
  if (!completed && !isBegun(work)) return standing;
  const { definitionHash: hash, acceptChange, total, rollout } = work;
  const isSame = completed && total.changed === 0;
  const text = standing.text && acceptChange === undefined ? standing.text : { hash, run: id };
  return {
    ...standing,
    done: completed ? 'all' : 'partly',
    text,
    executedFor: [...standing.executedFor, { rollout: rollout?.id, text }],
    verified: isSame ? standing.verified : undefined,
  };
}
