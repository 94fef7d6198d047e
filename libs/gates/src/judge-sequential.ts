import type { Facts } from './facts.ts';
import { type Gate, gateOf } from './gate.ts';
import { type Judged, lackOf } from './judged.ts';
import type { SequentialPolicy } from './policy.ts';
import type { Reason } from './reasons.ts';
import { countsOf, whyOf } from './sequential-sentence.ts';
import { logEvidence, logEvidenceOfBaseline, type Test, testOf, whole } from './sequential-test.ts';

const NO_TEST: Test = { limit: null, regression: null, compares: false, threshold: Infinity };

/** Tests what was counted in a stage, and whether there was enough of it. */
export function judgeSequential(policy: SequentialPolicy, facts: Facts): Judged {
  const test = testOf(policy, facts);
  const known = test ?? NO_TEST;
  const logE = contradicts(policy, facts) ? null : logEvidence(policy, known, facts);
  const logOfBaseline = logEvidenceOfBaseline(policy, known, facts);
  const gate = logE === null ? {} : gateOf(policy, known, facts);
  const reason = reasonFor({ policy, facts, test, logE, logOfBaseline, gate });
  const threshold = test?.threshold ?? null;
  const about = { policy, facts, test: known, reason, logE, threshold, gate };
  return {
    reason,
    logE,
    threshold,
    numbers: numbersOf(policy, facts, known, gate),
    why: whyOf(about),
    counts: countsOf(about),
  };
}

interface Known {
  readonly policy: SequentialPolicy;
  readonly facts: Facts;
  readonly test: Test | null;
  readonly logE: number | null;
  readonly logOfBaseline: number | null;
  readonly gate: Gate;
}

/** The first line that applies decides. What is proven stays proven while new data are missing. */
function reasonFor({ policy, facts, test, logE, logOfBaseline, gate }: Known): Reason {
  const { kind } = policy;
  const { total, baseline } = whole(facts);
  const proven = test !== null && logE !== null && logE >= test.threshold;
  if (proven && test.compares && facts.mismatch) return 'sample-ratio-mismatch';
  if (proven) return test.compares ? 'worse-than-baseline' : TOO_HIGH[kind];
  if (test !== null && logOfBaseline !== null && logOfBaseline >= test.threshold)
    return 'both-arms-bad';
  const lack = lackOf(policy, facts);
  if (lack !== undefined) return lack;
  if (test === null) return facts.recorded ? 'too-little-recorded' : 'not-read';
  if (contradicts(policy, facts)) return 'more-errors-than-requests';
  if (logE === null) return 'nothing-to-compare';
  if (test.compares && facts.mismatch) return 'sample-ratio-mismatch';
  if (total === 0) return 'no-requests';
  if (test.compares && !baseline?.total) return 'no-baseline-requests';
  if (gate.unmet !== undefined) return gate.unmet;
  return test.compares ? 'not-worse-than-baseline' : WITHIN[kind];
}

const TOO_HIGH = {
  ratio: 'error-rate-too-high',
  latency: 'latency-too-high',
  rate: 'rate-too-high',
} as const;
const WITHIN = {
  ratio: 'error-rate-within-limit',
  latency: 'latency-within-limit',
  rate: 'rate-within-limit',
} as const;

/** More errors than requests in all, on either side. */
function contradicts({ kind }: SequentialPolicy, facts: Facts): boolean {
  const { bad, total, baseline } = whole(facts);
  return (
    kind !== 'rate' && (bad > total || (baseline !== undefined && baseline.bad > baseline.total))
  );
}

function numbersOf(
  { kind, limit, margin, risk }: SequentialPolicy,
  facts: Facts,
  test: Test,
  gate: Gate,
): Judged['numbers'] {
  const { bad, total, baseline } = whole(facts);
  const given = (values: Readonly<Record<string, number | null | undefined>>) =>
    Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) =>
        typeof value === 'number' && Number.isFinite(value) ? [[name, value]] : [],
      ),
    );
  const { unmet: _, logGood, ...needed } = gate;
  return given({
    ...(kind === 'rate' ? { events: bad, exposureMs: total } : { errors: bad, trials: total }),
    baselineErrors: baseline?.bad,
    baselineTrials: baseline?.total,
    expectedOfCanary: baseline?.expected,
    recordedErrors: facts.recorded?.bad,
    recordedTrials: facts.recorded?.total,
    limit: test.limit ?? limit,
    margin,
    risk,
    ...needed,
    logGood,
  });
}
