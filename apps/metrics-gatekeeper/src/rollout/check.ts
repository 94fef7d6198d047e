import type { Verdict } from '@tidegate/contracts';
import type { StageEvidence } from '@tidegate/gates';
import { settle } from './advance.ts';
import { type Course, emit } from './course.ts';
import { aboutStep } from './draft.ts';
import { STEP_LATE } from './evolve-flag.ts';
import { judge } from './look.ts';
import { recover } from './recovery.ts';
import { rollBack, rollbackDeadline } from './rollback.ts';
import { riskLevelsNow } from './risk-level.ts';
import { shadowsNow } from './shadow.ts';
import { awaited, isLive, isUnjudged, type Live, stepAt } from './state.ts';

/**
 * One check. A breach comes first: also while paused, holding or waiting for a person. But what was counted before a
 * backup was put back is about exposures that nobody knows any more.
 */
export function check(course: Course, evidence: StageEvidence): Course {
  const { state } = course;
  if (state.status === 'rolling-back') return rollbackDeadline(course, state);
  if (state.status === 'rolled-back') return recover(course, state, evidence);
  if (!isLive(state)) return course;
  if (isUnjudged(state)) return course;
  const verdicts = judge(state, evidence, course.at);
  const told = shadowsNow({ ...course, check: { evidence, verdicts } });
  const breach = verdicts.find(({ outcome, shadow }) => outcome === 'breach' && !shadow);
  if (breach) return breached(told, state, breach);
  return deadlines(settle(riskLevelsNow(told)));
}

/** Breach, decision and commands are decided at once, and saved in one write. */
function breached(course: Course, state: Live, verdict: Verdict): Course {
  const { id, environment, plan, exposed } = state;
  const { guard, reason, message } = verdict;
  const stage = exposed ? { stage: exposed.stage } : {};
  const told = emit(course, {
    type: 'ThresholdBreached',
    data: {
      environment,
      rollout: id,
      labels: { plan: plan.plan, flag: plan.flag, ...stage },
      guard,
      fingerprint: `${id}/${guard}`,
      startsAt: course.at,
      message,
      verdict,
    },
  });
  return isLive(told.state)
    ? rollBack(told, told.state, { reason, message, by: 'metrics-gatekeeper' })
    : told;
}

/** What takes too long pages, once each. */
function deadlines(course: Course): Course {
  const { state, at } = course;
  if (!isLive(state)) return course;
  const { position, plan } = state;
  const waiting = awaited(state);
  const answered =
    waiting && !waiting.late && at - waiting.at >= plan.pageAfter
      ? missed(course, state, `${waiting.command} was not answered`, plan.pageAfter)
      : course;
  if (!position || position.late || state.status === 'paused') return answered;
  const { deadline } = stepAt(state, position.index);
  return deadline !== undefined && at - position.since >= deadline
    ? missed(answered, state, STEP_LATE, deadline)
    : answered;
}

const missed = (course: Course, state: Live, what: string, deadlineMs: number): Course =>
  emit(course, { type: 'DeadlineMissed', data: { ...aboutStep(state), what, deadlineMs } });
