import type { DraftOf, RollbackStarted } from '@tidegate/contracts';
import { asSentence, formatDuration } from '@tidegate/kernel';
import { type Course, emit } from './course.ts';
import { about, pauseMigration, releaseAll, restoreFlag } from './draft.ts';
import type { AnswerMessage } from './observed.ts';
import {
  type Action,
  type ActionName,
  activeRun,
  type Existing,
  type Failed,
  type RollingBack,
} from './state.ts';

type Why = Pick<DraftOf<typeof RollbackStarted>['data'], 'reason' | 'message' | 'by' | 'breach'>;

/**
 * Puts the flag back as it was when it was first held, and stops the migration. The new generation makes everything
 * that was sent before come too late. What was never held has not been changed.
 */
export function rollBack(course: Course, rollout: Existing, why: Why): Course {
  const { before, generation } = rollout;
  const run = activeRun(rollout);
  const actions: ActionName[] = [
    ...(before ? (['restore-flag'] as const) : []),
    ...(run === undefined ? [] : (['pause-migration'] as const)),
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
  { rollback, ...rollout }: RollingBack | Failed,
  { data }: AnswerMessage,
): Course {
  const action = rollback.actions.find(({ ids }) => ids.includes(data.command.id));
  if (!action || action.state === 'done' || action.state === 'skipped') return course;
  const { outcome, code, message } = data;
  const state = outcome === 'refused' ? stateAfterRefusal(action, code) : 'done';
  const told = outcome === 'refused' ? { message: `${code}: ${message}` } : {};
  return settleRollback(
    emit(course, {
      type: 'RollbackActionDone',
      data: { ...about(rollout), action: action.action, outcome: state, ...told },
    }),
  );
}

/** A run that has ended, or never began, needs no pause; one that begins later is paused then. */
const stateAfterRefusal = ({ action }: Action, code: string | undefined): 'skipped' | 'failed' =>
  action === 'pause-migration' && (code === 'RUN_UNKNOWN' || code === 'RUN_ENDED')
    ? 'skipped'
    : 'failed';

function settleRollback(course: Course): Course {
  const { state } = course;
  if (state.status !== 'rolling-back' && state.status !== 'failed') return course;
  const { reason, message, actions } = state.rollback;
  if (actions.every((action) => action.state === 'done' || action.state === 'skipped')) {
    const now = state.before ? 'The flag is as it was before.' : 'Nothing had been changed yet.';
    const data = { ...about(state), reason, message: `${asSentence(message)} ${now}` };
    const why = `rollout ${state.id} was rolled back`;
    return emit(course, { type: 'RolloutRolledBack', data }, ...releaseAll(state, why));
  }
  const failed = actions.find((action) => action.state === 'failed');
  if (!failed || state.status === 'failed') return course;
  return rollbackFailed(course, state, 'rollback-refused', `${failed.action}: ${failed.message}`);
}

/** An answer that does not come in time leaves the rollback incomplete until it does: a person must look. */
export function rollbackDeadline(course: Course, rollout: RollingBack): Course {
  const { rollback, plan } = rollout;
  if (course.at - rollback.startedAt < plan.pageAfter) return course;
  const open = rollback.actions.filter(({ state }) => state === 'sent').map(({ action }) => action);
  const within = formatDuration(plan.pageAfter);
  const message = `${open.join(' and ')}: no answer within ${within}.`;
  return rollbackFailed(course, rollout, 'rollback-unanswered', message);
}

const rollbackFailed = (course: Course, rollout: RollingBack, reason: string, message: string) =>
  emit(course, { type: 'RolloutFailed', data: { ...about(rollout), reason, message } });
