import type { DraftOf, FlagObserved } from '@tidegate/contracts';
import { begin, settle } from './advance.ts';
import { type Course, emit } from './course.ts';
import { about, aboutStep, holdFlag, releaseReferences, stageOpened } from './draft.ts';
import { observeMigration } from './observe-migration.ts';
import type { FlagMessage, ObservedMessage } from './observed.ts';
import { pauseBy } from './person.ts';
import { askForReferences, observeReference } from './reference.ts';
import { rollbackAnswered } from './rollback.ts';
import { type Existing, isLive, type Live } from './state.ts';

/** What another service said. What is of an older generation, or no longer awaited, changes nothing. */
export function observe(course: Course, rollout: Existing, message: ObservedMessage): Course {
  switch (message.type) {
    case 'FlagHeld':
    case 'FlagReleased':
    case 'FlagDisabled':
    case 'FlagEnabled':
    case 'FlagCommandAnswered':
      return observeFlag(course, rollout, message);
    case 'SegmentHeld':
    case 'SegmentReleased':
    case 'SegmentCommandAnswered':
      return isLive(rollout) ? observeReference(course, rollout, message) : course;
    default:
      return observeMigration(course, rollout, message);
  }
}

function observeFlag(course: Course, rollout: Existing, message: FlagMessage): Course {
  if (rollout.status === 'rolling-back' || rollout.status === 'failed')
    return message.type === 'FlagCommandAnswered'
      ? rollbackAnswered(course, rollout, message)
      : course;
  if (!isLive(rollout)) return course;
  if (message.data.key !== rollout.plan.flag) return observeReference(course, rollout, message);
  const isHeld = rollout.claim.status === 'held';
  switch (message.type) {
    case 'FlagCommandAnswered':
      return flagAnswered(course, rollout, message.data);
    case 'FlagHeld':
      return claimed(course, rollout, message.data);
    case 'FlagReleased':
      if (!isHeld || message.data.rollout.id !== rollout.id) return course;
      return interfered(course, rollout, 'released', {
        by: message.metadata.actor,
        reason: message.data.reason,
      });
    case 'FlagDisabled':
      // Before the flag is held nothing is known of it: FlagHeld will tell.
      if (!isHeld || rollout.flagDisabled) return course;
      return interfered(course, rollout, 'disabled', message.data.disabled);
    case 'FlagEnabled': {
      if (!isHeld || !rollout.flagDisabled) return course;
      const { reason = 'enabled' } = message.data;
      return settle(noticed(course, rollout, 'enabled', { by: message.metadata.actor, reason }));
    }
  }
}

type Answer = Extract<FlagMessage, { type: 'FlagCommandAnswered' }>['data'];

function flagAnswered(course: Course, rollout: Live, answer: Answer): Course {
  const { command, outcome } = answer;
  const { claim, position } = rollout;
  const is = (sent: { ids: readonly string[] }) => sent.ids.includes(command.id);
  if (claim.status === 'asked' && is(claim.sent))
    return outcome === 'refused' ? holdRefused(course, rollout, answer) : course;
  if (position?.phase !== 'opening' || !is(position.sent)) return course;
  if (outcome !== 'refused') return settle(emit(course, stageOpened(rollout, position.index)));
  if (answer.code === 'COMMAND_EXPIRED') return begin(course);
  return settle(refused(course, rollout, answer));
}

/** A rollout that has not begun has changed nothing: it ends. Later a person decides. */
function holdRefused(course: Course, rollout: Live, answer: Answer): Course {
  const { code = '', message = '' } = answer;
  if (code === 'COMMAND_EXPIRED') return emit(course, holdFlag(rollout));
  if (rollout.position) return settle(refused(course, rollout, answer));
  const { environment, plan } = rollout;
  const reason = `It could not begin, and nothing was changed: flag-service does not let it have ${plan.flag} in ${environment}. ${code}: ${message}`;
  const data = { ...about(rollout), by: 'flag-service', reason };
  return emit(
    course,
    { type: 'RolloutAborted', data },
    ...releaseReferences(rollout, reason.slice(0, 2_000)),
  );
}

function refused(course: Course, rollout: Live, answer: Answer): Course {
  const { command, code = '', message = '' } = answer;
  const data = { ...aboutStep(rollout), command: command.type, code, message };
  return emit(course, { type: 'StepRefused', data });
}

function claimed(
  course: Course,
  rollout: Live,
  { rollout: ref, definition, disabled }: Extract<FlagMessage, { type: 'FlagHeld' }>['data'],
): Course {
  const isOurs = ref.id === rollout.id && ref.generation === rollout.generation;
  if (!isOurs || rollout.claim.status !== 'asked') return course;
  const data = { ...about(rollout), definition, disabled };
  return settle(askForReferences(emit(course, { type: 'FlagClaimed', data })));
}

type Change = DraftOf<typeof FlagObserved>['data']['change'];
interface Why {
  readonly by: string;
  readonly reason: string;
}

const noticed = (course: Course, rollout: Live, change: Change, { by, reason }: Why): Course =>
  emit(course, { type: 'FlagObserved', data: { ...about(rollout), change, by, reason } });

/** Somebody else's hand on the flag pauses the rollout: only a person knows what they meant. */
function interfered(course: Course, rollout: Live, change: Change, why: Why): Course {
  const told = noticed(course, rollout, change, why);
  const reason = `${rollout.plan.flag} was ${change}: ${why.reason}`.slice(0, 2_000);
  return pauseBy(told, { by: why.by, reason });
}
