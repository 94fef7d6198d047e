import type { Verdict } from '@tidegate/contracts';
import { reassess } from '@tidegate/gates';
import { messageOf } from '@tidegate/kernel';
import type { Decision } from './decision.ts';

/** What of a verdict is another when it is computed again. */
export interface Difference {
  readonly what: string;
  readonly told: unknown;
  readonly computed: unknown;
}

export interface Explained {
  readonly verdict: Verdict;
  /**
   * `reworded`: all is the same but the sentence, as another release may say it. `not-computable`: it does not hold
   * what it was judged on.
   */
  readonly result: 'same' | 'reworded' | 'differs' | 'not-computable';
  readonly differences: readonly Difference[];
}

export interface ExplainedDecision extends Omit<Decision, 'verdicts'> {
  readonly verdicts: readonly Explained[];
}

/** A judge of another machine may round the last digits of a logarithm otherwise. */
const SAME_DIGITS = 1e-9;

export const explainDecision = ({ verdicts, ...decision }: Decision): ExplainedDecision => ({
  ...decision,
  verdicts: verdicts.map(explainVerdict),
});

/** Judges again on nothing but what the verdict says it was judged on. */
export function explainVerdict(verdict: Verdict): Explained {
  if (verdict.inputs === undefined) return { verdict, result: 'not-computable', differences: [] };
  const computed = judgedAgain(verdict);
  if ('impossible' in computed)
    return { verdict, result: 'differs', differences: [computed.impossible] };
  const differences = differencesOf(verdict, computed);
  if (differences.length > 0) return { verdict, result: 'differs', differences };
  if (verdict.message === computed.message) return { verdict, result: 'same', differences };
  const reworded = { what: 'message', told: verdict.message, computed: computed.message };
  return { verdict, result: 'reworded', differences: [reworded] };
}

/** Inputs that no judge was ever given are no proof of anything, whoever changed them. */
function judgedAgain(verdict: Verdict): Verdict | { readonly impossible: Difference } {
  const impossible = (computed: string) => ({
    impossible: { what: 'inputs', told: verdict.inputs, computed },
  });
  try {
    return reassess(verdict) ?? impossible('nothing: no judge of this release can be given them');
  } catch (error) {
    return impossible(`nothing: ${messageOf(error)}`);
  }
}

function differencesOf(told: Verdict, computed: Verdict): readonly Difference[] {
  const pairs = [
    ...(['guard', 'outcome', 'reason', 'logE', 'threshold'] as const).map(
      (what) => [what, told[what], computed[what]] as const,
    ),
    ['shadow', told.shadow ?? false, computed.shadow ?? false] as const,
    ...namesOf(told.evidence, computed.evidence).map(
      (name) => [name, told.evidence[name], computed.evidence[name]] as const,
    ),
  ];
  return pairs.flatMap(([what, was, is]) =>
    isSame(was, is) ? [] : [{ what, told: was ?? null, computed: is ?? null }],
  );
}

const namesOf = (...of: readonly object[]): readonly string[] => [
  ...new Set(of.flatMap((each) => Object.keys(each))),
];

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  return Math.abs(a - b) <= SAME_DIGITS * Math.max(1, Math.abs(a), Math.abs(b));
}
