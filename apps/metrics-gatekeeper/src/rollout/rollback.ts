import type { DraftOf, RollbackStarted } from '@tidegate/contracts';
import { asSentence, formatDuration } from '@tidegate/kernel';
import { type Action, type ActionName, revertedBy, revertName } from './action.ts';
import { type Course, emit } from './course.ts';
import { about, aboutStep, pauseMigration, releaseAll, restoreFlag } from './draft.ts';
import type { AnswerMessage, MigrationMessage } from './observed.ts';
import {
  changeOfRevert,
  endOfRevert,
  executedAt,
  isOver,
  migrationsToRevert,
  revertNext,
  sayReverted,
} from './revert.ts';
import { activeRun, type Existing, type Failed, type RollingBack } from './state.ts';

type Why = Pick<DraftOf<typeof RollbackStarted>['data'], 'reason' | 'message' | 'by' | 'breach'>;

/**
 * Puts the flag back as it was when it was first held, and stops the migration; reverts it after that, where the plan
 * asks for it. The new generation makes everything that was sent before come too late. What was never held has not been
 * changed.
 */
export function rollBack(course: Course, rollout: Existing, why: Why): Course {
  const { before, generation } = rollout;
  const run = activeRun(rollout);
  const actions: ActionName[] = [
    ...(before ? (['restore-flag'] as const) : []),
    ...(run === undefined ? [] : (['pause-migration'] as const)),
    ...migrationsToRevert(rollout).map(revertName),
  ];
  const data = { ...about(rollout), generation: generation + 1, ...why, actions };
  const started = emit(course, { type: 'RollbackStarted', data });
  const raised = started.state;
  if (raised.status !== 'rolling-back') return started;
  const reason = `rollback of rollout ${rollout.id}: ${why.message}`.slice(0, 2_000);
  return settleRollback(
    emit(
      started,
      ...(before ? [restoreFlag(raised, before, reason)] : []),
      ...(run === undefined ? [] : [pauseMigration(raised, run, reason)]),
    ),
  );
}

/** An answer to one of the rollback's commands, also one that comes after it was given up as unanswered. */
export function rollbackAnswered(
  course: Course,
  rollout: RollingBack | Failed,
  { data }: AnswerMessage,
): Course {
  const action = rollout.rollback.actions.find(({ ids }) => ids.includes(data.command.id));
  if (!action || isOver(action)) return course;
  const { outcome, code, message } = data;
  // A revert that was accepted is done when its run is.
  if (outcome !== 'refused')
    return revertedBy(action.action) === undefined
      ? ended(course, rollout, action, 'done')
      : course;
  return ended(course, rollout, action, stateAfterRefusal(action, code), `${code}: ${message}`);
}

/** What becomes of the run that reverts; undefined where the message is about another one. */
export function revertObserved(
  course: Course,
  rollout: RollingBack | Failed,
  message: MigrationMessage,
): Course | undefined {
  const { run } = message.data;
  const action = rollout.rollback.actions.find((each) => each.run === run);
  if (!action || message.type === 'MigrationCommandAnswered') return undefined;
  if (isOver(action)) return course;
  const end = endOfRevert(message);
  if (end) return ended(course, rollout, action, end.outcome, end.message);
  const change = changeOfRevert(message);
  if (!change) return course;
  const at = aboutStep(rollout, executedAt(rollout, revertedBy(action.action)));
  return emit(course, { type: 'MigrationObserved', data: { ...at, run, ...change } });
}

function ended(
  course: Course,
  rollout: RollingBack | Failed,
  { action }: Action,
  outcome: 'done' | 'skipped' | 'failed',
  message?: string,
): Course {
  const told = message === undefined ? {} : { message };
  const data = { ...about(rollout), action, outcome, ...told };
  return settleRollback(emit(course, { type: 'RollbackActionDone', data }));
}

/** A run that has ended, or never began, needs no pause; one that begins later is paused then. */
function stateAfterRefusal({ action }: Action, code: string | undefined): 'skipped' | 'failed' {
  const nothingToDo = action === 'pause-migration' ? NOTHING_TO_PAUSE : NOTHING_TO_REVERT;
  return action !== 'restore-flag' && nothingToDo.includes(code ?? '') ? 'skipped' : 'failed';
}
const NOTHING_TO_PAUSE = ['RUN_UNKNOWN', 'RUN_ENDED'];
const NOTHING_TO_REVERT = ['MIGRATION_NOT_EXECUTED'];

function settleRollback(course: Course): Course {
  const { state } = course;
  if (state.status !== 'rolling-back' && state.status !== 'failed') return course;
  const { reason, message, actions } = state.rollback;
  if (actions.every(isOver)) {
    const now = state.before ? 'The flag is as it was before.' : 'Nothing had been changed yet.';
    const told = `${asSentence(message)} ${now}${sayReverted(actions)}`;
    const data = { ...about(state), reason, message: told };
    const why = `rollout ${state.id} was rolled back`;
    return emit(course, { type: 'RolloutRolledBack', data }, ...releaseAll(state, why));
  }
  const going = revertNext(course, state);
  const failed = actions.find((action) => action.state === 'failed');
  if (!failed || state.status === 'failed') return going;
  return rollbackFailed(going, state, 'rollback-refused', `${failed.action}: ${failed.message}`);
}

/**
 * An answer that does not come in time leaves the rollback incomplete until it does: a person must look. Likewise a
 * revert that somebody has paused, and nobody resumes.
 */
export function rollbackDeadline(course: Course, rollout: RollingBack): Course {
  const { rollback, plan } = rollout;
  const open = rollback.actions.filter(
    ({ state, sentAt = rollback.startedAt }) =>
      state === 'sent' && course.at - sentAt >= plan.pageAfter,
  );
  const within = formatDuration(plan.pageAfter);
  if (open.length === 0) return revertsStopped(course, rollout, within);
  const names = open.map(({ action }) => action).join(' and ');
  return rollbackFailed(
    course,
    rollout,
    'rollback-unanswered',
    `${names}: no answer within ${within}.`,
  );
}

function revertsStopped(course: Course, rollout: RollingBack, within: string): Course {
  const { rollback, plan } = rollout;
  const left = rollback.actions.flatMap(({ action, state, stopped }) =>
    state === 'under-way' && stopped && course.at - stopped.at >= plan.pageAfter
      ? [`${action}: ${stopped.reason}`]
      : [],
  );
  if (left.length === 0) return course;
  const message = `${asSentence(left.join(' and '))} Not resumed within ${within}.`;
  return rollbackFailed(course, rollout, 'rollback-stopped', message);
}

const rollbackFailed = (course: Course, rollout: RollingBack, reason: string, message: string) =>
  emit(course, { type: 'RolloutFailed', data: { ...about(rollout), reason, message } });
