import type { DraftOf, MigrationObserved, PlanStep } from '@tidegate/contracts';
import { type Action, revertedBy } from './action.ts';
import { type Course, emit } from './course.ts';
import { revertMigration } from './draft.ts';
import type { MigrationMessage } from './observed.ts';
import { type Common, type Failed, type RollingBack, type StepRun } from './state.ts';

/**
 * The migrations that a rollback reverts, last first: those whose plan asks for it, in which this rollout has changed
 * something, or may have. What was migrated before it began is not its to undo.
 */
export function migrationsToRevert({ plan, runs = [] }: Common): readonly string[] {
  const changing = plan.steps.flatMap((step, index) =>
    isRevertible(step) && runs.some((run) => run.index === index && hasChanged(run))
      ? [step.migrate]
      : [],
  );
  return [...new Set(changing.toReversed())];
}

const isRevertible = (step: PlanStep): step is Extract<PlanStep, { migrate: string }> =>
  'migrate' in step &&
  (step.action === 'execute' || step.action === 'cutover') &&
  step.onFailure === 'revert';

const hasChanged = ({ changed }: StepRun): boolean => changed !== 0;

/** Where the plan executes the migration. */
export const executedAt = ({ plan }: Common, migration: string | undefined): number =>
  plan.steps.findLastIndex((step) => isRevertible(step) && step.migrate === migration);

export const isOver = ({ state }: Action): boolean => state === 'done' || state === 'skipped';

/** Sends the next revert once all before it is done: the flag first, so that nobody reads the new form any more. */
export function revertNext(course: Course, rollout: RollingBack | Failed): Course {
  const { actions, message } = rollout.rollback;
  const next = actions.find((action) => !isOver(action));
  const migration = next && revertedBy(next.action);
  if (next?.state !== 'waiting' || migration === undefined) return course;
  const reason = `rollback of rollout ${rollout.id}: ${message}`.slice(0, 2_000);
  return emit(course, revertMigration(rollout, migration, reason));
}

/** How a revert has ended; undefined while it goes on. */
export function endOfRevert(
  message: MigrationMessage,
): { readonly outcome: 'done' | 'failed'; readonly message?: string } | undefined {
  switch (message.type) {
    case 'MigrationCompleted':
      return { outcome: 'done' };
    case 'MigrationFailed': {
      const { code, message: what } = message.data;
      return { outcome: 'failed', message: `${code}: ${what}` };
    }
    case 'MigrationCancelled': {
      const { by, reason } = message.data;
      return { outcome: 'failed', message: `cancelled by ${by}: ${reason}` };
    }
    default:
      return undefined;
  }
}

/** What a revert does that goes on, or is to go on. */
export function changeOfRevert(
  message: MigrationMessage,
): Pick<DraftOf<typeof MigrationObserved>['data'], 'change' | 'reason'> | undefined {
  switch (message.type) {
    case 'MigrationStarted':
      return { change: 'started' };
    case 'MigrationPaused':
      return { change: 'stopped', reason: `paused by ${message.data.by}: ${message.data.reason}` };
    case 'MigrationResumed':
      return { change: 'resumed' };
    default:
      return undefined;
  }
}

/** For the sentence that tells how a rollback has ended. */
export const sayReverted = (actions: readonly Action[]): string =>
  actions
    .filter(({ state }) => state === 'done')
    .flatMap(({ action }) => revertedBy(action) ?? [])
    .map((migration) => ` ${migration} is reverted.`)
    .join('');
