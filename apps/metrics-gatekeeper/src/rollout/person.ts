import type {
  AbortRollout,
  ApproveRollout,
  PauseRollout,
  ResumeRollout,
  RollBack,
} from '@tidegate/contracts';
import { isWatchedStep, stepName, type Verdict, watchedName } from '@tidegate/contracts';
import { reject, type Rejection } from '@tidegate/kernel';
import { begin, reach, settle } from './advance.ts';
import type { SeenPromotion } from './command.ts';
import { type Course, emit } from './course.ts';
import {
  about,
  aboutStep,
  holdFlag,
  holdReference,
  pausedWith,
  pauseMigration,
  releaseAll,
  resumeMigration,
  stepCompleted,
  wouldShrink,
} from './draft.ts';
import { judge } from './look.ts';
import { rollBack } from './rollback.ts';
import {
  activeRun,
  type Claim,
  disabledKey,
  type Existing,
  type Going,
  holdsAll,
  isGoing,
  isLive,
  stepAt,
} from './state.ts';

type PersonCommand =
  PauseRollout | ResumeRollout | SeenPromotion | ApproveRollout | RollBack | AbortRollout;

/** What a person wants, or why it cannot be. Wanting what is already so changes nothing. */
export function decideForPerson(
  course: Course,
  rollout: Existing,
  command: PersonCommand,
): Course | Rejection {
  const by = command.metadata.actor;
  switch (command.type) {
    case 'RollBack':
      return rollBackBy(course, rollout, by, command.data.reason);
    case 'AbortRollout':
      return abort(course, rollout, by, command.data.reason);
    case 'PauseRollout':
      if (!isLive(rollout)) return over(rollout);
      return rollout.status === 'paused' ? course : pauseBy(course, { by, ...command.data });
    case 'ResumeRollout':
      return resume(course, rollout, by, command.data.reason);
    case 'PromoteRollout':
      return promote(course, rollout, command);
    case 'ApproveRollout':
      return approve(course, rollout, command);
  }
}

function rollBackBy(
  course: Course,
  rollout: Existing,
  by: string,
  reason: string,
): Course | Rejection {
  switch (rollout.status) {
    case 'rolling-back':
    case 'rolled-back':
      return course;
    case 'aborted':
      return over(rollout);
    default:
      return rollBack(course, rollout, { reason: 'requested', message: `${by}: ${reason}`, by });
  }
}

/** Stops, and leaves the exposure as it is. A failed rollback can be left so: a person has taken it in hand. */
function abort(course: Course, rollout: Existing, by: string, reason: string): Course | Rejection {
  if (rollout.status === 'aborted') return course;
  if (!isLive(rollout) && rollout.status !== 'failed') return over(rollout);
  const run = activeRun(rollout);
  const why = `rollout ${rollout.id} was aborted: ${reason}`.slice(0, 2_000);
  return emit(
    course,
    ...(run === undefined ? [] : [pauseMigration(rollout, run, why)]),
    { type: 'RolloutAborted', data: { ...about(rollout), by, reason } },
    ...releaseAll(rollout, why),
  );
}

/** Its migration waits as well; guards are judged on. */
export function pauseBy(course: Course, { by, reason }: { by: string; reason: string }): Course {
  const { state } = course;
  if (!isLive(state) || state.status === 'paused') return course;
  const run = activeRun(state);
  return emit(
    course,
    { type: 'RolloutPaused', data: { ...about(state), by, reason } },
    ...(run === undefined ? [] : [pauseMigration(state, run, pausedWith(state))]),
  );
}

/** Goes on after a pause; what was refused, released, stopped or cancelled is asked for again. */
function resume(course: Course, rollout: Existing, by: string, reason: string): Course | Rejection {
  if (!isLive(rollout)) return over(rollout);
  const paused = rollout.status === 'paused';
  if (!paused && !isGoing(rollout)) return course;
  const disabled = disabledKey(rollout);
  if (paused && holdsAll(rollout) && disabled !== undefined)
    return reject(
      'ROLLOUT_FLAG_DISABLED',
      `${disabled} is disabled. Release it from the rollout and enable it first, or roll back.`,
    );
  const again = paused || needsAsking(rollout);
  if (!again) return course;
  const data = { ...about(rollout), by, reason };
  return settle(askAgain(emit(course, { type: 'RolloutResumed', data })));
}

const isLost = ({ claim }: { readonly claim: Claim }): boolean =>
  claim.status === 'refused' || claim.status === 'lost';

const needsAsking = ({ claim, references = [], position }: Going): boolean =>
  isLost({ claim }) ||
  references.some(isLost) ||
  ['refused', 'stopped', 'cancelled'].includes(position.phase);

function askAgain(course: Course): Course {
  const { state } = course;
  if (!isLive(state)) return course;
  const { references = [], position } = state;
  const held = emit(
    course,
    ...(isLost(state) ? [holdFlag(state)] : []),
    ...references.filter(isLost).map((each) => holdReference(state, each)),
  );
  switch (position?.phase) {
    case 'refused':
    case 'cancelled':
      // Until all is held again nobody knows where others have taken it: then the step begins.
      return holdsAll(state) ? begin(held) : held;
    case 'stopped':
      return emit(held, resumeMigration(state, position.run, `rollout ${state.id} goes on`));
    default:
      return held;
  }
}

/** Leaves the present stage now, gates unasked; and what is done already, whatever it is held for. */
function promote(
  course: Course,
  rollout: Existing,
  { data, metadata }: SeenPromotion,
): Course | Rejection {
  if (rollout.status === 'paused')
    return reject('ROLLOUT_PAUSED', `${rollout.by} paused the rollout; resume it first.`);
  if (!isLive(rollout)) return over(rollout);
  if (!isGoing(rollout) || !holdsAll(rollout) || disabledKey(rollout) !== undefined)
    return reject(
      'ROLLOUT_NOT_PROMOTABLE',
      'The rollout does not hold its flag and all that this refers to, enabled.',
    );
  const { index, phase } = rollout.position;
  const passesOver = phase === 'waiting' && wouldShrink(rollout, index);
  if (phase === 'waiting' && !passesOver) return settle(begin(course));
  if (phase !== 'open' && phase !== 'done' && !passesOver)
    return reject(
      'ROLLOUT_NOT_PROMOTABLE',
      `${aboutStep(rollout).step} is not an open stage (${phase}): it cannot be passed over.`,
    );
  const verdicts = seenIn(course, rollout, data.evidence);
  const how = { promotedBy: metadata.actor, verdicts };
  const reached = reach(emit(course, stepCompleted(rollout, index, how)), index + 1);
  const { state } = reached;
  return settle(isGoing(state) && state.position.phase === 'waiting' ? begin(reached) : reached);
}

/** What the guards say of the step that is passed over. */
function seenIn(
  { at }: Course,
  rollout: Going,
  evidence: SeenPromotion['data']['evidence'],
): readonly Verdict[] {
  const step = stepAt(rollout, rollout.position.index);
  return evidence && isWatchedStep(step) && watchedName(step) === evidence.stage
    ? judge(rollout, evidence, at)
    : [];
}

function approve(
  course: Course,
  rollout: Existing,
  { data, metadata }: ApproveRollout,
): Course | Rejection {
  if (!isLive(rollout)) return over(rollout);
  const { position, plan, startedBy } = rollout;
  const asked = plan.steps.findIndex((step) => 'approve' in step && stepName(step) === data.step);
  if (asked === -1)
    return reject('ROLLOUT_STEP_UNKNOWN', `The plan asks for no approval called ${data.step}.`);
  if (
    position &&
    (position.index > asked || (position.index === asked && position.phase === 'done'))
  )
    return course;
  if (position?.index !== asked)
    return reject('ROLLOUT_NOT_WAITING', `The rollout has not come to ${data.step} yet.`);
  if (metadata.actor === startedBy)
    return reject(
      'APPROVAL_FOUR_EYES',
      `${startedBy} started the rollout; somebody else must approve.`,
    );
  const why = data.reason === undefined ? {} : { reason: data.reason };
  const given = { ...aboutStep(rollout), by: metadata.actor, ...why };
  return settle(emit(course, { type: 'ApprovalGiven', data: given }));
}

function over(rollout: Existing): Rejection {
  if (rollout.status === 'rolling-back')
    return reject('ROLLOUT_ROLLING_BACK', `Rollout ${rollout.id} is being rolled back.`);
  return reject('ROLLOUT_ENDED', `Rollout ${rollout.id} is ${rollout.status}.`);
}
