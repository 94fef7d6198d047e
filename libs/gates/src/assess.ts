import type { Guard, Verdict } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { logEvidenceRateAbove, type Prior, priorFor } from '@tidegate/statistics';
import { type MissingKind, missingKinds } from './counters.ts';
import type { GateErrorCode } from './errors.ts';
import type { GuardEvidence } from './evidence.ts';
import { type PinnedRisk, shareKey } from './risk.ts';
import { sentenceFor } from './sentence.ts';
import { factsOf as countsOf } from './facts-of.ts';

/** How one guard is judged in one stage. */
export type Policy = SequentialPolicy | ImmediatePolicy;

interface PolicyBase {
  readonly guard: string;
  /** Evidence whose newest count is older is stale. */
  readonly maxAgeMs: number;
}
export interface SequentialPolicy extends PolicyBase {
  readonly judge: 'sequential';
  /** The highest healthy rate. */
  readonly limit: number;
  /** α·w: a breach at E ≥ 1/risk. */
  readonly risk: number;
  readonly prior: Prior;
  /** Fewer requests are too few to leave the stage. */
  readonly minTrials: number;
}
export interface ImmediatePolicy extends PolicyBase {
  readonly judge: 'immediate';
  /** More than this is a breach. */
  readonly above: number;
}

/** What a verdict rests on. */
export interface Facts {
  readonly errors: number;
  /** 0 for a metric that is only a count. */
  readonly trials: number;
  /** Since the newest count; null if there is none. */
  readonly ageMs: number | null;
  readonly missing: { readonly kind: MissingKind; readonly targets: number } | null;
}

const OUTCOMES = {
  'error-rate-too-high': 'breach',
  'count-too-high': 'breach',
  'query-error': 'hold',
  'wrong-cardinality': 'hold',
  nan: 'hold',
  stale: 'hold',
  empty: 'hold',
  'not-read': 'hold',
  'more-errors-than-requests': 'hold',
  'no-requests': 'hold',
  'too-few-requests': 'hold',
  'error-rate-within-limit': 'pass',
  'count-within-limit': 'pass',
} as const;
export type Reason = keyof typeof OUTCOMES;

const MISSING_DATA: ReadonlySet<string> = new Set([
  ...missingKinds,
  'not-read',
  'more-errors-than-requests',
]);

/** Whether the reason is that data are missing or wrong, not that there are too few of them. */
export const isMissingData = (reason: string): boolean => MISSING_DATA.has(reason);

/** The guard's policy in this stage. Thrown GATE_SHARE_MISSING when its share was not pinned. */
export function policyFor(
  guard: Guard,
  stage: { readonly stage: string; readonly minTrials: number },
  pinned: PinnedRisk,
  maxAgeMs: number,
): Policy {
  if (guard.judge === 'immediate')
    return { guard: guard.name, judge: 'immediate', above: guard.above ?? 0, maxAgeMs };
  if (guard.judge !== 'sequential' || guard.limit === undefined)
    throw new TypeError(`${guard.name} has no policy.`);
  const share = pinned.shares[shareKey(guard.name, stage.stage)];
  if (share === undefined)
    throw new AppError<GateErrorCode>(
      'GATE_SHARE_MISSING',
      `${guard.name} has no share of the risk in stage ${stage.stage}.`,
    );
  return {
    guard: guard.name,
    judge: 'sequential',
    limit: guard.limit,
    risk: pinned.risk * share,
    prior: priorFor(guard.limit),
    minTrials: stage.minTrials,
    maxAgeMs,
  };
}

export function factsOf(evidence: GuardEvidence, at: number): Facts {
  const { since, value, ageMs, missing } = countsOf(evidence, at);
  return {
    errors: since?.[0]?.bad ?? value ?? 0,
    trials: since?.[0]?.total ?? 0,
    ageMs,
    missing: missing && { kind: missing.kind, targets: missing.targets },
  };
}

/** Judges what a guard has counted in its stage so far. The verdict holds its evidence: `reassess` judges it again. */
export function assess(policy: Policy, evidence: GuardEvidence, at: number): Verdict {
  return judge(policy, factsOf(evidence, at), evidence.missing?.detail);
}

function judge(policy: Policy, facts: Facts, detail?: string): Verdict {
  const logE = logEvidence(policy, facts);
  const threshold = policy.judge === 'sequential' ? -Math.log(policy.risk) : null;
  const reason = reasonFor(policy, facts, logE, threshold);
  return {
    guard: policy.guard,
    outcome: OUTCOMES[reason],
    reason,
    logE,
    threshold,
    evidence: asNumbers(policy, facts),
    message: sentenceFor({ policy, facts, reason, logE, threshold, detail }),
  };
}

/** Null where there is none to compute: for counts, and for counts that contradict each other. */
function logEvidence(policy: Policy, { errors, trials }: Facts): number | null {
  if (policy.judge === 'immediate' || errors > trials) return null;
  return logEvidenceRateAbove({ errors, trials, limit: policy.limit, ...policy.prior });
}

/** The first line that applies decides. What is proven stays proven while new data are missing. */
function reasonFor(
  policy: Policy,
  { errors, trials, ageMs, missing }: Facts,
  logE: number | null,
  threshold: number | null,
): Reason {
  if (logE !== null && threshold !== null && logE >= threshold) return 'error-rate-too-high';
  if (policy.judge === 'immediate' && errors > policy.above) return 'count-too-high';
  if (missing !== null) return missing.kind;
  if (ageMs === null) return 'not-read';
  if (ageMs > policy.maxAgeMs) return 'stale';
  if (policy.judge === 'immediate') return 'count-within-limit';
  if (errors > trials) return 'more-errors-than-requests';
  if (trials === 0) return 'no-requests';
  if (trials < policy.minTrials) return 'too-few-requests';
  return 'error-rate-within-limit';
}

/** Policy and facts as the verdict's evidence. A kind of missing data stands under its own name. */
function asNumbers(policy: Policy, { errors, trials, ageMs, missing }: Facts): Verdict['evidence'] {
  const base = {
    maxAgeMs: policy.maxAgeMs,
    ...(ageMs === null ? {} : { ageMs }),
    ...(missing === null ? {} : { [missing.kind]: missing.targets }),
  };
  if (policy.judge === 'immediate') return { ...base, count: errors, above: policy.above };
  const { limit, risk, prior, minTrials } = policy;
  return { ...base, errors, trials, limit, risk, ...prior, minTrials };
}

/**
 * The same verdict, computed again from nothing but its own evidence; only the sentence about what data are missing
 * is left out. Undefined if the evidence is not of a guard of ours.
 */
export function reassess({ guard, evidence }: Verdict): Verdict | undefined {
  const { count, above, errors, trials, limit, risk, alpha, beta, minTrials, maxAgeMs, ageMs } =
    evidence;
  if (maxAgeMs === undefined) return undefined;
  const kind = missingKinds.find((each) => evidence[each] !== undefined);
  const age = {
    ageMs: ageMs ?? null,
    missing: kind === undefined ? null : { kind, targets: evidence[kind] ?? 0 },
  };
  if (count !== undefined && above !== undefined)
    return judge(
      { guard, judge: 'immediate', above, maxAgeMs },
      { errors: count, trials: 0, ...age },
    );
  if (
    errors === undefined ||
    trials === undefined ||
    limit === undefined ||
    risk === undefined ||
    alpha === undefined ||
    beta === undefined ||
    minTrials === undefined
  )
    return undefined;
  const prior = { alpha, beta };
  return judge(
    { guard, judge: 'sequential', limit, risk, prior, minTrials, maxAgeMs },
    { errors, trials, ...age },
  );
}
