import { type Course, emit } from './course.ts';
import { about, pauseMigration, pausedWith } from './draft.ts';
import { activeRun, type Existing, isLive, STORE_RESTORED } from './state.ts';

/**
 * An older backup of the store was put back: nobody here knows what the rollout did since. It stays as it is, and its
 * evidence is not judged, until a person has looked; one that a person had paused is no better known.
 */
export function pauseRestored(
  course: Course,
  rollout: Existing,
  by: string,
  epoch: number,
): Course {
  if (!isLive(rollout)) return course;
  const run = activeRun(rollout);
  const reason =
    `${STORE_RESTORED} (epoch ${epoch}): an older backup of the store was put back, and what this rollout did since it ` +
    `was made is not known. Look at ${rollout.plan.flag} and at the audit records, then resume, roll back or abort.`;
  return emit(
    course,
    { type: 'RolloutPaused', data: { ...about(rollout), by, reason, because: STORE_RESTORED } },
    ...(run === undefined ? [] : [pauseMigration(rollout, run, pausedWith(rollout))]),
  );
}
