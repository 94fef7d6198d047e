import type { Comparison, Condition } from '@tidegate/contracts';
import { own, reader } from './attribute.ts';
import type { EvaluationContext } from './details.ts';
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
  const { attribute, operator, value, values, ignoreCase } = comparison;
  const matches = matcherOf(comparison);
  const mistyped = (): false => {
    around.mistyped?.(comparison);
    return false;
  };
  if (typeof matches === 'string') return mistyped;
  const read = reader(attribute);
  if (operator === 'present') return (context) => isThere(read(context)) === value;
  const compare = (found: unknown) => isThere(found) && (matches(found) ?? mistyped());
  if (ignoreCase === true || attribute.includes('.')) return (context) => compare(read(context));
  // What most conditions are: a value that is equal needs no closer look, nor does any other if nobody wants to know.
  const otherwise = around.mistyped ? compare : () => false;
  if (operator === 'equals')
    return (context) => {
      const found = own(context, attribute);
      return found === value || otherwise(found);
    };
  if (operator === 'in') {
    const wanted = new Set<unknown>(values);
    return (context) => {
      const found = own(context, attribute);
      return wanted.has(found) || otherwise(found);
    };
  }
  return (context) => compare(own(context, attribute));
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;
