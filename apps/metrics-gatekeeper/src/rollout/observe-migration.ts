import type { DraftOf, MigrationObserved } from '@tidegate/contracts';
import { begin, settle } from './advance.ts';
import { type Course, emit } from './course.ts';
import { aboutStep, pausedWith, pauseMigration, resumeMigration } from './draft.ts';
import type { MigrationMessage } from './observed.ts';
import { revertObserved, rollBack, rollbackAnswered } from './rollback.ts';
import { type Existing, isGoing, isLive, type Live } from './state.ts';

export function observeMigration(
  course: Course,
  rollout: Existing,
  message: MigrationMessage,
): Course {
  if (isLive(rollout)) return whileLive(course, rollout, message);
  const rollsBack = rollout.status === 'rolling-back' || rollout.status === 'failed';
  const reverted = rollsBack ? revertObserved(course, rollout, message) : undefined;
  if (reverted) return reverted;
  // The pause of a rollback may overtake the start of its run: it is sent again once the run begins.
  const { action } = 'action' in message.data ? message.data : { action: undefined };
  if (
    message.type === 'MigrationStarted' &&
    action !== 'revert' &&
    message.data.rollout?.id === rollout.id
  )
    return emit(course, pauseMigration(rollout, message.data.run, `rollout ${rollout.id} is over`));
  return rollsBack && message.type === 'MigrationCommandAnswered'
    ? rollbackAnswered(course, rollout, message)
    : course;
}

function whileLive(course: Course, rollout: Live, message: MigrationMessage): Course {
  const { position } = rollout;
  if (!position || !('run' in position) || position.run !== message.data.run) return course;
  const { phase } = position;
  const active = phase === 'asked' || phase === 'moving';
  switch (message.type) {
    case 'MigrationCommandAnswered':
      return phase === 'asked' && position.sent.ids.includes(message.data.command.id)
        ? runAnswered(course, rollout, message.data)
        : course;
    case 'MigrationStarted':
      return phase === 'asked' ? startedFor(course, rollout, message.data.run) : course;
    case 'MigrationPaused':
      return active ? stopped(course, rollout, message.data) : course;
    case 'MigrationResumed':
      return phase === 'stopped' || phase === 'asked'
        ? settle(noticed(course, rollout, 'resumed'))
        : course;
    case 'MigrationCompleted':
      return settle(noticed(course, rollout, 'completed', undefined, changedBy(message)));
    case 'MigrationCancelled': {
      const { by, reason, total } = message.data;
      const why = `cancelled by ${by}: ${reason}`;
      return settle(noticed(course, rollout, 'cancelled', why, total.changed));
    }
    case 'MigrationFailed': {
      // The new code may have come to rely on data that now will not arrive: the safe side is the flag as it was.
      const { migration, action, code, message: what, total, reverted } = message.data;
      const sentence = `Migration ${migration} (${action}) failed. ${code}: ${what}`;
      const changed = reverted ? 0 : total.changed;
      const told = noticed(course, rollout, 'stopped', code, changed);
      return rollBack(told, isLive(told.state) ? told.state : rollout, {
        reason: 'migration-failed',
        message: sentence,
        by: message.metadata.source,
      });
    }
  }
}

/** Undefined where it is not documents that are changed: a schema was built, or a switch proven, and may be taken back. */
const changedBy = ({
  data: { report, total },
}: Extract<MigrationMessage, { type: 'MigrationCompleted' }>): number | undefined =>
  report['about'] === 'documents' ? total.changed : undefined;

function noticed(
  course: Course,
  rollout: Live,
  change: DraftOf<typeof MigrationObserved>['data']['change'],
  reason?: string,
  changed?: number,
): Course {
  const { position } = rollout;
  const run = position && 'run' in position ? position.run : '';
  const why = reason === undefined ? {} : { reason };
  const ended = changed === undefined ? {} : { changed };
  const data = { ...aboutStep(rollout), run, change, ...why, ...ended };
  return emit(course, { type: 'MigrationObserved', data });
}

/** A rollout that was paused meanwhile pauses its run as soon as there is one. */
function startedFor(course: Course, rollout: Live, run: string): Course {
  const told = noticed(course, rollout, 'started');
  return rollout.status === 'paused'
    ? emit(told, pauseMigration(rollout, run, pausedWith(rollout)))
    : told;
}

/** The rollout's own pause, arriving after the rollout went on, is taken back; anybody else's holds it. */
function stopped(
  course: Course,
  rollout: Live,
  { run, by, reason }: Extract<MigrationMessage, { type: 'MigrationPaused' }>['data'],
): Course {
  const told = noticed(course, rollout, 'stopped', `paused by ${by}: ${reason}`);
  return isGoing(rollout) && reason === pausedWith(rollout)
    ? emit(told, goOnWith(rollout, run))
    : settle(told);
}

const goOnWith = (rollout: Live, run: string) =>
  resumeMigration(rollout, run, `rollout ${rollout.id} goes on`);

function runAnswered(
  course: Course,
  rollout: Live,
  answer: Extract<MigrationMessage, { type: 'MigrationCommandAnswered' }>['data'],
): Course {
  const { outcome, command, run, code = '', message = '' } = answer;
  const isResume = command.type === 'ResumeMigration';
  // What happened was told before its answer: still being asked means that there was nothing to do.
  if (outcome !== 'refused') return noticed(course, rollout, isResume ? 'resumed' : 'started');
  if (code === 'COMMAND_EXPIRED')
    return isResume ? emit(course, goOnWith(rollout, run)) : begin(course);
  const data = { ...aboutStep(rollout), command: command.type, code, message };
  return settle(emit(course, { type: 'StepRefused', data }));
}
