import type { Facts } from './facts.ts';
import type { Judged } from './judged.ts';
import type { Policy } from './policy.ts';
import { seconds } from './text.ts';

/** A verdict as a sentence in numbers: why it holds, if it does, and what has been counted. */
export function sentenceFor(policy: Policy, facts: Facts, { reason, why, counts }: Judged): string {
  const because = why === '' ? lackSentence(policy, facts, reason) : why;
  const parts = because === '' ? [counts] : [because, capitalised(counts)];
  return `${policy.guard}: ${parts.filter((part) => part !== '').join(' ')}`;
}

const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** What data are missing; empty if the reason is another one. */
function lackSentence(policy: Policy, { missing, ageMs }: Facts, reason: string): string {
  const detail = missing?.detail || undefined;
  switch (reason) {
    case 'query-error':
      return detail ?? `${missing?.targets ?? 0} targets could not be read.`;
    case 'wrong-cardinality':
      return detail ?? 'the series are too many, or one stands twice.';
    case 'nan':
      return detail ?? 'a value is not a count.';
    case 'empty':
      return detail ?? 'no target has the series.';
    case 'stale':
      return (
        detail ?? `nothing new for ${seconds(ageMs ?? 0)}, at most ${seconds(policy.maxAgeMs)}.`
      );
    case 'not-read':
      return 'nothing has been read yet.';
    default:
      return '';
  }
}
