import type { Plan, PlanStep, Verdict } from '@tidegate/contracts';
import { formatDuration } from '@tidegate/kernel';
import { assess, isMissingData, policyFor } from './assess.ts';
import type { GuardEvidence } from './evidence.ts';
import type { PinnedRisk } from './risk.ts';
import type { StageEvidence } from './stage-evidence.ts';
import { maxGapMs } from './timing.ts';

export type Stage = Extract<PlanStep, { stage: string }>;

/** Every guard's verdict at `at`, in the plan's order. */
export function judgeStage(
  plan: Plan,
  pinned: PinnedRisk,
  evidence: StageEvidence,
  at: number,
): Verdict[] {
  const step = plan.steps.find((each) => 'stage' in each && each.stage === evidence.stage);
  const minTrials = step && 'stage' in step ? step.minTrials : 0;
  return plan.guards.map((guard) => {
    const metric = plan.metrics[guard.metric];
    const maxAgeMs = maxGapMs(plan, ...(metric ? [metric] : []));
    const policy = policyFor(guard, { stage: evidence.stage, minTrials }, pinned, maxAgeMs);
    return assess(policy, evidence.guards[guard.name] ?? NOTHING, at);
  });
}

const NOTHING: GuardEvidence = { targets: {}, lastSuccessAt: null, missing: null };

export type Leave =
  | { readonly leave: true; readonly verdicts: readonly Verdict[] }
  | {
      readonly leave: false;
      /** What is in the way. `hold-time` alone is what every stage goes through. */
      readonly because: 'breach' | 'missing-data' | 'hold-time' | 'too-little-evidence';
      /** The verdict's named reason, or `hold-time`. */
      readonly reason: string;
      readonly message: string;
      readonly verdicts: readonly Verdict[];
    };

/**
 * Whether the stage may be left: no guard breaches, none lacks data, its hold time is covered by successful checks,
 * and there were enough requests. The first that is in the way is named.
 */
export function mayLeave(
  stage: Stage,
  evidence: StageEvidence,
  verdicts: readonly Verdict[],
): Leave {
  const stay = (because: Extract<Leave, { leave: false }>['because'], verdict: Verdict): Leave => {
    const { reason, message } = verdict;
    return { leave: false, because, reason, message, verdicts };
  };
  const breach = verdicts.find(({ outcome }) => outcome === 'breach');
  if (breach) return stay('breach', breach);
  const missing = verdicts.find(({ reason }) => isMissingData(reason));
  if (missing) return stay('missing-data', missing);
  if (evidence.lastSuccessAt === null || evidence.coveredMs < stage.hold)
    return {
      leave: false,
      because: 'hold-time',
      reason: 'hold-time',
      message: `${stage.stage}: ${formatDuration(evidence.coveredMs)} of ${formatDuration(stage.hold)} covered by successful checks.`,
      verdicts,
    };
  const held = verdicts.find(({ outcome }) => outcome === 'hold');
  if (held) return stay('too-little-evidence', held);
  return { leave: true, verdicts };
}
