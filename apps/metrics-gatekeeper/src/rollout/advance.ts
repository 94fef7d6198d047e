import { isWatchedStep, watchedName } from '@tidegate/contracts';
import { mayLeave } from '@tidegate/gates';
import { type Course, emit } from './course.ts';
import {
  about,
  aboutStep,
  releaseAll,
  requestOf,
  stepCompleted,
  stepStarted,
  wouldShrink,
} from './draft.ts';
import { isAlarmed } from './alarm.ts';
import { announceHold, mayOpen } from './hold.ts';
import { disabledKey, type Going, holdsAll, isGoing, stepAt } from './state.ts';

/** Goes as far as the plan, the flag and the evidence allow, and says what is in the way. */
export const settle = (course: Course): Course => announceHold(advance(course));

function advance(course: Course): Course {
  const { state } = course;
  if (state.status === 'pending' && holdsAll(state)) return reach(course, 0);
  if (!isGoing(state) || !holdsAll(state) || disabledKey(state) !== undefined) return course;
  if (isAlarmed(course, state)) return course;
  const { index, phase } = state.position;
  switch (phase) {
    case 'waiting':
      return mayBegin(course, state) ? begin(course) : course;
    case 'done':
      return reach(emit(course, stepCompleted(state, index)), index + 1);
    case 'open':
      return leave(course, state);
    default:
      return course;
  }
}

/** The step at `index` begins, or the plan is at its end. */
export function reach(course: Course, index: number): Course {
  const { state } = course;
  if (state.status === 'absent') return course;
  if (index >= state.plan.steps.length) {
    const completed = emit(course, { type: 'RolloutCompleted', data: about(state) });
    return emit(completed, ...releaseAll(state, `rollout ${state.id} is completed`));
  }
  const begun = emit(course, stepStarted(state, index));
  const step = stepAt(state, index);
  if (!('approve' in step) || begun.state.status === 'absent') return advance(begun);
  const data = { ...aboutStep(begun.state), role: step.role };
  return emit(begun, { type: 'ApprovalRequested', data });
}

/** A stage or bake begins only behind a check that answers: nothing is exposed unwatched. */
function mayBegin({ check }: Course, { plan, position }: Going): boolean {
  const step = plan.steps[position.index];
  if (!step || !isWatchedStep(step) || plan.guards.length === 0) return true;
  return check !== undefined && mayOpen(check, plan);
}

/** Sends the present step's command, also again. */
export function begin(course: Course): Course {
  const { state } = course;
  if (!isGoing(state) || wouldShrink(state, state.position.index)) return course;
  const request = requestOf(state, state.position.index, state.position.attempt);
  return request ? emit(course, request) : course;
}

function leave(course: Course, state: Going): Course {
  const { check } = course;
  const { index, since } = state.position;
  const step = stepAt(state, index);
  if (!check || !isWatchedStep(step) || check.evidence.stage !== watchedName(step)) return course;
  const { evidence, verdicts } = check;
  const leave = mayLeave(step, evidence, verdicts, since, course.at);
  if (!leave.leave) return course;
  const late = leave.because === 'deadline' ? { atDeadline: true as const } : {};
  const how = { coveredMs: Math.round(evidence.coveredMs), verdicts, ...late };
  return reach(emit(course, stepCompleted(state, index, how)), index + 1);
}
