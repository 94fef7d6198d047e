import type { Plan } from '@tidegate/contracts';
import { judgeRecovery, type StageEvidence } from '@tidegate/gates';
import { type Course, emit } from './course.ts';
import { about } from './draft.ts';
import { RECOVERY } from './look.ts';
import { awaitsRecovery, type RolledBack } from './state.ts';

/** Whoever has looked once has seen nothing: no request in no time is no good news. */
const leastCoveredMs = ({ checkEvery, recovery }: Plan): number =>
  Math.min(3 * checkEvery, recovery.within / 2);

/**
 * Whether the rollback has helped. Good as soon as the fresh evidence says so; what is not good by the plan's time, or
 * not known to be, persists, and pages. It is said once, and rolls nothing back a second time.
 */
export function recover(course: Course, rollout: RolledBack, evidence: StageEvidence): Course {
  if (!awaitsRecovery(rollout) || evidence.stage !== RECOVERY) return course;
  const { plan, endedAt } = rollout;
  const { outcome, message, verdicts } = judgeRecovery(plan, evidence, course.at);
  const page = outcome === 'persisting';
  if (!page && evidence.coveredMs < leastCoveredMs(plan)) return course;
  // Nobody may have looked at first: the metrics have their time from the first look on.
  const since = Math.max(endedAt, evidence.openedAt);
  if (page && course.at - since < plan.recovery.within) return course;
  const data = { ...about(rollout), outcome, message, page, verdicts: [...verdicts] };
  return emit(course, { type: 'RecoveryJudged', data });
}
