import { type Plan, type Verdict, type WatchedStep, watchedName } from '@tidegate/contracts';
import { formatDuration } from '@tidegate/kernel';
import { assess } from './assess.ts';
import type { GuardEvidence } from './evidence.ts';
import { factsOf, livenessFacts } from './facts-of.ts';
import { livenessPolicy, policyFor } from './policy-for.ts';
import type { Policy } from './policy.ts';
import { classOf, isMissingData } from './reasons.ts';
import type { PinnedRisk } from './risk.ts';
import type { StageEvidence } from './stage-evidence.ts';
import { watchedStep } from './timing.ts';

/**
 * Every guard's verdict at `at`, in the plan's order, and that of `liveness` if the canary's instances crash. Where a split
 * guard has found that canary and baseline do not get the traffic that they should, no comparison of the same check is believed.
 */
export function judgeStage(
  plan: Plan,
  pinned: PinnedRisk,
  evidence: StageEvidence,
  at: number,
): Verdict[] {
  const step = watchedStep(plan, evidence.stage);
  const judged = plan.guards.flatMap((guard) => {
    const metric = plan.metrics[guard.metric];
    if (!metric) return [];
    const known = evidence.guards[guard.name] ?? NOTHING;
    return [{ policy: policyFor(guard, metric, step, plan, pinned), facts: factsOf(known, at) }];
  });
  const alone = judged.map(({ policy, facts }) => assess(policy, facts));
  const mismatch = alone.some(isMismatch);
  const verdicts = alone.map((verdict, index) => {
    const about = mismatch ? judged[index] : undefined;
    return about && isComparing(about.policy)
      ? assess(about.policy, { ...about.facts, mismatch })
      : verdict;
  });
  return step ? [...verdicts, ...crashed(plan, evidence, at)] : verdicts;
}

/** The verdict of the guard that every plan has: only when it is a breach, as the others say whether data come. */
function crashed(plan: Plan, evidence: StageEvidence, at: number): Verdict[] {
  const policy = livenessPolicy(plan);
  const facts = livenessFacts(plan, evidence, at);
  if (!policy || !facts) return [];
  const verdict = assess(policy, facts);
  return verdict.outcome === 'breach' ? [verdict] : [];
}

/** Of a guard that has not been looked at. */
export const NOTHING: GuardEvidence = { targets: {}, lastSuccessAt: null, missing: null };

/** Only a split guard finds one by itself. */
const isMismatch = ({ reason, shadow }: Verdict): boolean =>
  reason === 'sample-ratio-mismatch' && shadow !== true;

const isComparing = (policy: Policy): boolean =>
  policy.judge === 'sequential' && policy.baseline === 'concurrent';

/** What is in the way. `hold-time` alone is what every stage goes through. */
export type InTheWay = 'breach' | 'missing-data' | 'held' | 'hold-time' | 'too-little-evidence';

export type Leave =
  | {
      readonly leave: true;
      /** Too little was seen, and at its deadline the plan goes on. */
      readonly because?: 'deadline';
      readonly verdicts: readonly Verdict[];
    }
  | {
      readonly leave: false;
      readonly because: InTheWay;
      /** The verdict's named reason, or `hold-time`. */
      readonly reason: string;
      readonly message: string;
      readonly verdicts: readonly Verdict[];
    };

/**
 * Whether the step may be left at `at`: no guard breaches, none lacks data, its hold time is covered by successful checks,
 * and enough was seen. The first that is in the way is named. At the deadline a plan may go on with too little evidence:
 * not with none, not before its hold time is covered, and never while something is wrong. Guards in shadow are never
 * in the way.
 * @param since when the step began, from where its deadline counts
 */
export function mayLeave(
  step: WatchedStep,
  evidence: StageEvidence,
  verdicts: readonly Verdict[],
  since: number,
  at: number,
): Leave {
  const acting = verdicts.filter(({ shadow }) => shadow !== true);
  const stay = (because: InTheWay, { reason, message }: Pick<Verdict, 'reason' | 'message'>) =>
    ({ leave: false, because, reason, message, verdicts }) as const;
  const breach = acting.find(({ outcome }) => outcome === 'breach');
  if (breach) return stay('breach', breach);
  const missing = acting.find(({ reason }) => isMissingData(reason));
  if (missing) return stay('missing-data', missing);
  const wrong = acting.find(({ reason }) => classOf(reason) === 'held');
  if (wrong) return stay('held', wrong);
  if (evidence.lastSuccessAt === null || evidence.coveredMs < step.hold)
    return stay('hold-time', { reason: 'hold-time', message: coveredSentence(step, evidence) });
  const held = acting.filter(({ outcome }) => outcome !== 'pass');
  const [first] = held;
  if (first === undefined) return { leave: true, verdicts };
  return advancesAnyway(step, held, at - since)
    ? { leave: true, because: 'deadline', verdicts }
    : stay('too-little-evidence', held.find(({ reason }) => classOf(reason) !== 'little') ?? first);
}

const coveredSentence = (step: WatchedStep, { coveredMs }: StageEvidence): string =>
  `${watchedName(step)}: ${formatDuration(coveredMs)} of ${formatDuration(step.hold)} covered by successful checks.`;

/** A verdict of someone else is never known to be harmless. */
const advancesAnyway = (
  { deadline, atDeadline }: WatchedStep,
  held: readonly Verdict[],
  elapsedMs: number,
): boolean =>
  atDeadline === 'advance' &&
  deadline !== undefined &&
  elapsedMs >= deadline &&
  held.every(({ reason }) => classOf(reason) === 'little');
