import { isWatchedStep, type Plan, stepName, type Verdict } from '@tidegate/contracts';
import { formatDuration, formatPercentage } from '@tidegate/kernel';
import {
  classOf,
  isMissingData,
  isStillToCome,
  mayLeave,
  missingForMs,
  NO_STAGE,
} from '@tidegate/gates';
import { alarmIn, DEADLINE, isAlarm, RISK_LEVEL } from './alarm.ts';
import { type Check, type Course, emit } from './course.ts';
import { about, aboutStep, wouldShrink } from './draft.ts';
import { isSameHold } from './same-hold.ts';
import {
  type Claim,
  type Common,
  disabledKey,
  type Going,
  type Hold,
  isGoing,
  type Paused,
  stepAt,
} from './state.ts';

/** What keeps a rollout from going on. `page`: a person must look now. */
interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly page: boolean;
}

/** Tells when what holds the rollout has changed, when nothing does any more, and once when a person must look. */
export function announceHold(course: Course): Course {
  const { state, check } = course;
  if (state.status === 'paused') return pagePaused(course, state);
  if (!isGoing(state)) return course;
  const cause = causeOf(course, state);
  if (cause === 'unknown') return course;
  if (cause === undefined) return state.status === 'holding' ? goesOn(course, state) : course;
  const held = state.status === 'holding' ? state.hold : undefined;
  const page = cause.page && !(isSameHold(held, cause.reason) && held.paged);
  if (held?.reason === cause.reason && !page) return course;
  const verdicts: Verdict[] = [...(check?.verdicts ?? [])];
  const data = { ...aboutStep(state), ...cause, page, verdicts };
  return emit(course, { type: 'RolloutHeld', data });
}

/**
 * A pause closes nothing: what is open and not seen any more, or wrong for everybody, pages once. Once more if data have
 * come meanwhile and stay away again.
 */
function pagePaused(course: Course, state: Paused): Course {
  const { at, check } = course;
  if (!check || check.evidence.stage === NO_STAGE) return course;
  const cause = alarmNow(state, check) ?? blind(check, state.plan, at);
  if (!cause || isTold(state, cause.reason, check.evidence.lastSuccessAt ?? 0)) return course;
  const verdicts = [...check.verdicts];
  return emit(course, { type: 'RolloutHeld', data: { ...aboutStep(state), ...cause, verdicts } });
}

const isTold = ({ told }: Paused, reason: string, lastSuccessAt: number): boolean =>
  isSameHold(told, reason) && (!isMissingData(reason) || told.since > lastSuccessAt);

const goesOn = (course: Course, state: Going): Course =>
  emit(course, {
    type: 'RolloutResumed',
    data: {
      ...about(state),
      by: 'metrics-gatekeeper',
      reason: 'nothing is in the way any more',
    },
  });

/** The first line that applies decides. `unknown`: only a check can tell, and this is none. */
function causeOf(course: Course, state: Going): Cause | undefined | 'unknown' {
  const held = state.status === 'holding' ? state.hold : undefined;
  return flagCause(course, state, held) ?? stepCause(course, state, held);
}

function flagCause({ at }: Course, state: Going, held: Hold | undefined): Cause | undefined {
  const { claim, references = [], plan, flagDisabled } = state;
  if (isUnheld(claim))
    return { reason: 'flag-not-held', message: claimMessage(plan.flag, claim), page: true };
  const unheld = references.find((each) => isUnheld(each.claim));
  if (unheld && isUnheld(unheld.claim))
    return {
      reason: 'reference-not-held',
      message: claimMessage(unheld.key, unheld.claim),
      page: true,
    };
  const disabled = disabledKey(state);
  if (disabled === undefined) return undefined;
  const reason = flagDisabled ? 'flag-disabled' : 'reference-disabled';
  const since = held?.reason === reason ? held.since : at;
  const message = `${flagDisabled ? disabled : `${disabled}, which ${plan.flag} refers to,`} is disabled: no stage can open.`;
  return { reason, message, page: at - since >= plan.pageAfter };
}

type Unheld = Extract<Claim, { status: 'refused' | 'lost' }>;
const isUnheld = (claim: Claim): claim is Unheld =>
  claim.status === 'refused' || claim.status === 'lost';

const claimMessage = (key: string, claim: Unheld): string =>
  claim.status === 'lost'
    ? `${claim.by} released ${key} from this rollout; resume to hold it again.`
    : `${key} could not be held again. ${claim.code}: ${claim.message}`;

function stepCause(
  { at, check }: Course,
  state: Going,
  held: Hold | undefined,
): Cause | undefined | 'unknown' {
  const { plan, position } = state;
  const step = stepAt(state, position.index);
  const untold = held && !OWN_REASONS.has(held.reason) ? 'unknown' : undefined;
  const alarm =
    alarmNow(state, check) ?? (!check && held && isAlarm(held.reason) ? 'unknown' : undefined);
  switch (position.phase) {
    case 'refused': {
      const reason = isWatchedStep(step) ? 'exposure-refused' : 'migration-refused';
      return { reason, message: `${position.code}: ${position.message}`, page: true };
    }
    case 'stopped':
      return { reason: 'migration-paused', message: position.reason, page: false };
    case 'cancelled':
      return { reason: 'migration-cancelled', message: position.reason, page: true };
    case 'waiting':
      if (wouldShrink(state, position.index)) return shrinking(state);
      if (alarm) return alarm;
      return check ? cannotOpen(check, plan, at) : untold;
    case 'open':
      if (alarm) return alarm;
      return check ? cannotLeave(check, state, at) : untold;
    case 'approval': {
      if (alarm) return alarm;
      const role = 'approve' in step ? step.role : 'approver';
      const awaiting = {
        reason: 'awaiting-approval',
        message: `An ${role} must approve.`,
        page: false,
      };
      return untold && !check ? untold : (blind(check, plan, at) ?? awaiting);
    }
    default:
      return alarm ?? (check ? blind(check, plan, at) : untold);
  }
}

/** What holds it wherever it stands: the score of risk, and what is wrong with more than the new code. */
function alarmNow({ levels }: Common, check: Check | undefined): Cause | undefined {
  if (levels?.hold !== undefined) return { reason: RISK_LEVEL, message: levels.hold, page: true };
  const verdict = check && alarmIn(check.verdicts);
  return verdict && { reason: verdict.reason, message: verdict.message, page: true };
}

/** Causes that the rollout's own state tells; the others come from a check. */
const OWN_REASONS: ReadonlySet<string> = new Set([
  'flag-not-held',
  'flag-disabled',
  'reference-not-held',
  'reference-disabled',
  'exposure-refused',
  'migration-refused',
  'migration-paused',
  'migration-cancelled',
  'awaiting-approval',
  'exposure-would-shrink',
  RISK_LEVEL,
]);

/** The flag reaches more people than the stage would: opening it would take the new code from some of them. */
function shrinking(state: Going): Cause {
  const { plan, exposure, position } = state;
  const now = exposure ? formatPercentage(exposure.percentage) : '';
  const stage = stepName(stepAt(state, position.index));
  const message = `${plan.flag} is at ${now}, more than stage ${stage} opens; promote to pass over it, or abort.`;
  return { reason: 'exposure-would-shrink', message, page: true };
}

/**
 * What stands between a stage and its opening: a source that does not answer. A series may not be there yet; what was
 * recorded before the rollout must be.
 */
function cannotOpen(check: Check, plan: Plan, at: number): Cause | undefined {
  const missing = missingIn(check, plan, false);
  return missing && { ...missing, page: missingForMs(check.evidence, at) >= plan.pageAfter };
}

/** True once the source of every guard that acts has answered in this check. */
export const mayOpen = ({ evidence }: Check, plan: Plan): boolean =>
  actingIn(evidence, plan).every(([, known]) =>
    known.missing === null ? known.lastSuccessAt !== null : isStillToCome(known),
  );

/** What a guard in shadow lacks is in nobody's way. */
const actingIn = ({ guards }: Check['evidence'], plan: Plan) =>
  Object.entries(guards).filter(
    ([name]) => !plan.guards.some((guard) => guard.name === name && guard.shadow),
  );

/** A stage's ordinary waiting, for time or for its first requests, is no hold until its time is over. */
function cannotLeave({ evidence, verdicts }: Check, state: Going, at: number): Cause | undefined {
  const { plan, position, exposed } = state;
  const step = stepAt(state, position.index);
  if (!isWatchedStep(step) || position.phase !== 'open' || evidence.stage !== exposed?.stage)
    return undefined;
  const leave = mayLeave(step, evidence, verdicts, position.since, at);
  if (leave.leave) return undefined;
  const { because, reason, message } = leave;
  const { deadline = Infinity } = step;
  if (because !== 'breach' && because !== 'missing-data' && at - position.since >= deadline)
    return missedDeadline(state, deadline, message);
  const openMs = at - position.openedAt;
  const missingMs = missingForMs(evidence, at);
  const heldMs =
    state.status === 'holding' && isSameHold(state.hold, reason) ? at - state.hold.since : 0;
  switch (because) {
    case 'breach':
    case 'hold-time':
      return undefined;
    case 'missing-data':
      if (isNothingYet(reason) && missingMs < Math.min(step.hold, plan.pageAfter)) return undefined;
      // Data can come and still not be of use: then only the hold itself knows for how long.
      return { reason, message, page: Math.max(missingMs, heldMs) >= plan.pageAfter };
    case 'too-little-evidence': {
      const page = classOf(reason) === 'unseen' && openMs - step.hold >= plan.pageAfter;
      return { reason, message, page };
    }
    case 'held':
      return { reason, message, page: isAlarm(reason) };
  }
}

/** Too little has been seen by the step's deadline: a person is asked, once. */
function missedDeadline({ position }: Going, deadline: number, why: string): Cause {
  const message = `Its deadline of ${formatDuration(deadline)} is over. ${why} Promote, roll back or abort.`;
  return { reason: DEADLINE, message, page: !position.late };
}

const isNothingYet = (reason: string): boolean => reason === 'empty' || reason === 'not-read';

/** At a step that needs no evidence, data that stay away too long still page: an open stage is unguarded. */
function blind(check: Check | undefined, plan: Plan, at: number): Cause | undefined {
  if (!check || missingForMs(check.evidence, at) < plan.pageAfter) return undefined;
  const missing = missingIn(check, plan, check.evidence.stage !== NO_STAGE);
  return missing && { ...missing, page: true };
}

function missingIn(
  { evidence }: Check,
  plan: Plan,
  alsoEmpty: boolean,
): Omit<Cause, 'page'> | undefined {
  for (const [guard, known] of actingIn(evidence, plan)) {
    const { missing } = known;
    if (missing && (alsoEmpty || !isStillToCome(known)))
      return { reason: missing.kind, message: `${guard}: ${missing.detail}` };
  }
  return undefined;
}
