import type { Comparison, Condition } from '@tidegate/contracts';
import { own, reader } from './attribute.ts';
import type { EvaluationContext } from './details.ts';
import { isLoose, looseTest, type LooseTest } from './loosely.ts';
import { matcherOf } from './operators.ts';

export type Test = (context: EvaluationContext) => boolean;

/** What a condition needs of where it stands. */
export interface Surroundings {
  /** Of a segment that is known to exist and to be sound. */
  segment(key: string): Test;
  /** An attribute is of another type than the operator needs, or the operand cannot be used. */
  readonly mistyped?: ((comparison: Comparison) => void) | undefined;
}

/** Compiled once, it allocates nothing when it is asked. */
export function compileCondition(condition: Condition, around: Surroundings): Test {
  if ('all' in condition) return allOf(condition.all.map((each) => compileCondition(each, around)));
  if ('any' in condition) return anyOf(condition.any.map((each) => compileCondition(each, around)));
  if ('not' in condition) {
    const test = compileCondition(condition.not, around);
    return (context) => !test(context);
  }
  if ('segment' in condition) return around.segment(condition.segment);
  return compileComparison(condition, around);
}

function allOf(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first && tests.length === 1) return first;
  if (first && second && tests.length === 2) return (context) => first(context) && second(context);
  return (context) => {
    for (const test of tests) if (!test(context)) return false;
    return true;
  };
}

function anyOf(tests: readonly Test[]): Test {
  const [first, second] = tests;
  if (first && tests.length === 1) return first;
  if (first && second && tests.length === 2) return (context) => first(context) || second(context);
  return (context) => {
    for (const test of tests) if (test(context)) return true;
    return false;
  };
}

/** An attribute that is not there, or null, matches nothing but `present: false`; that is no mistake. */
function compileComparison(comparison: Comparison, around: Surroundings): Test {
  const { attribute, operator, value } = comparison;
  if (isLoose(operator)) return compileLoose(attribute, looseTest({ ...comparison, operator }));
  if (around.mistyped === undefined) {
    const test = equality(comparison);
    if (test) return test;
  }
  const matches = matcherOf(comparison);
  const mistyped = (): false => {
    around.mistyped?.(comparison);
    return false;
  };
  if (typeof matches === 'string') return mistyped;
  const read = reader(attribute);
  if (operator === 'present') return (context) => isThere(read(context)) === value;
  return (context) => {
    const found = read(context);
    return isThere(found) && (matches(found) ?? mistyped());
  };
}

/** What most comparisons are. If nobody wants to know of wrong types, a value that is not equal needs no closer look. */
function equality({
  attribute,
  operator,
  value,
  values,
  ignoreCase,
}: Comparison): Test | undefined {
  if (ignoreCase === true || attribute.includes('.')) return undefined;
  if (operator === 'equals' && value !== undefined)
    return (context) => own(context, attribute) === value;
  if (operator !== 'in' || values === undefined) return undefined;
  const wanted = new Set<unknown>(values);
  return (context) => wanted.has(own(context, attribute));
}

/** Of imported flags: what flagd fails to compare is no mismatch but an error, which the evaluator answers with. */
function compileLoose(attribute: string, test: LooseTest): Test {
  const read = reader(attribute);
  return (context) => {
    const value = read(context) ?? null;
    const answer = test(value);
    if (answer === undefined)
      throw new Error(`The attribute ${attribute} (${typeof value}) cannot be compared.`);
    return answer;
  };
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;
