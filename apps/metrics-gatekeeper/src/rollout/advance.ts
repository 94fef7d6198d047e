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
import { announceHold, mayOpen } from './hold.ts';
import { disabledKey, type Going, holdsAll, isGoing, stepAt } from './state.ts';

/** Goes as far as the plan, the flag and the evidence allow, and says what is in the way. */
export const settle = (course: Course): Course => announceHold(advance(course));

function advance(course: Course): Course {
  const { state } = course;
  if (state.status === 'pending' && holdsAll(state)) return reach(course, 0);
  if (!isGoing(state) || !holdsAll(state) || disabledKey(state) !== undefined) return course;
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

/** A stage opens only behind a check that answers: nothing is exposed unwatched. */
function mayBegin({ check }: Course, { plan, position }: Going): boolean {
  const step = plan.steps[position.index];
  if (!step || !('stage' in step) || plan.guards.length === 0) return true;
  return check !== undefined && mayOpen(check);
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
  const { index } = state.position;
  const step = stepAt(state, index);
  if (!check || !('stage' in step) || check.evidence.stage !== step.stage) return course;
  if (!mayLeave(step, check.evidence, check.verdicts).leave) return course;
  const { coveredMs } = check.evidence;
  const how = { coveredMs: Math.round(coveredMs), verdicts: check.verdicts };
  return reach(emit(course, stepCompleted(state, index, how)), index + 1);
}
