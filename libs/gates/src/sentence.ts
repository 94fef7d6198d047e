import type { Facts, Policy, Reason, SequentialPolicy } from './assess.ts';

interface Judged {
  readonly policy: Policy;
  readonly facts: Facts;
  readonly reason: Reason;
  readonly logE: number | null;
  readonly threshold: number | null;
  /** Which data are missing, as a sentence. */
  readonly detail?: string | undefined;
}

/** A verdict as a sentence in numbers: why it holds, if it does, and what has been counted. */
export function sentenceFor(judged: Judged): string {
  const why = whyHeld(judged);
  const counts = countsOf(judged);
  const parts =
    why === '' ? [counts] : [why, `${counts.charAt(0).toUpperCase()}${counts.slice(1)}`];
  return `${judged.policy.guard}: ${parts.filter((part) => part !== '').join(' ')}`;
}

function countsOf({ policy, facts, logE, threshold }: Judged): string {
  if (policy.judge === 'immediate')
    return `${number(facts.errors)} counted, at most ${number(policy.above)} allowed.`;
  if (facts.errors + facts.trials === 0) return '';
  return `${rate(policy, facts)}${odds(logE, threshold)}.`;
}

function rate({ limit }: SequentialPolicy, { errors, trials }: Facts): string {
  const share = trials === 0 || errors > trials ? '' : ` (${percent(errors / trials, 2)})`;
  return `${number(errors)} of ${number(trials)} requests failed${share}, limit ${percent(limit, 6)}`;
}

function odds(logE: number | null, threshold: number | null): string {
  if (logE === null || threshold === null) return '';
  const needed = `needed 1:${power(threshold)}`;
  return logE > 0
    ? `; evidence 1:${power(logE)} against chance, ${needed}`
    : `; no evidence of a breach, ${needed}`;
}

function whyHeld({ policy, facts, reason, detail }: Judged): string {
  switch (reason) {
    case 'error-rate-too-high':
    case 'count-too-high':
    case 'error-rate-within-limit':
    case 'count-within-limit':
      return '';
    case 'query-error':
      return detail ?? `${facts.missing?.targets ?? 0} targets could not be read.`;
    case 'wrong-cardinality':
      return detail ?? 'the series are too many, or one stands twice.';
    case 'nan':
      return detail ?? 'a value is not a count.';
    case 'empty':
      return detail ?? 'no target has the series.';
    case 'stale':
      return (
        detail ??
        `nothing new for ${seconds(facts.ageMs ?? 0)}, at most ${seconds(policy.maxAgeMs)}.`
      );
    case 'not-read':
      return 'nothing has been read yet.';
    case 'more-errors-than-requests':
      return 'the counts contradict each other.';
    case 'no-requests':
      return 'there has been no request yet.';
    case 'too-few-requests':
      return policy.judge === 'sequential'
        ? `at least ${number(policy.minTrials)} requests are needed.`
        : '';
  }
}

/** 1204 → "1 204"; at most three decimals. */
function number(value: number): string {
  const [whole = '0', fraction] = String(Math.round(value * 1_000) / 1_000).split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ' ');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** 0.0523 → "5.2 %", with that many digits below 10 %; a rounded rate above has no decimals. */
function percent(share: number, digits: number): string {
  const value = share * 100;
  return `${digits === 2 && value >= 10 ? Math.round(value) : Number(value.toPrecision(digits))} %`;
}

/** e^ln with two digits, as "4 300" or, from a million on, as "10^8". */
const power = (ln: number): string =>
  ln < Math.log(1e6)
    ? number(Number(Math.exp(ln).toPrecision(2)))
    : `10^${Math.floor(ln / Math.LN10)}`;

/** Below ten seconds with tenths: 0.7 s is more than 0.6 s. */
const seconds = (ms: number): string =>
  `${number(ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1_000))} s`;
