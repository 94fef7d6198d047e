import type { Condition, Scalar } from '@tidegate/contracts';
import { type LooseOperator, looseTest } from '../loosely.ts';
import type { Question } from './operand.ts';

export const loosely = (operator: LooseOperator, value: Scalar): Question => ({
  on: (attribute) => ({ attribute, operator, value }),
  of: looseTest({ operator, value }),
});

export const IS_TRUE = loosely('loosely-true', true);
const IS_NULL = loosely('loosely-null', true);
const IS_NUMBER = loosely('loosely-number', true);
export const IS_MISSING: Question = {
  on: (attribute) => ({ attribute, operator: 'present', value: false }),
  of: (value) => value === null,
};
export const IS_TEXT: Question = startsWith('');

export function startsWith(start: string): Question {
  return {
    on: (attribute) => ({ attribute, operator: 'starts-with', values: [start] }),
    of: (value) => typeof value === 'string' && value.startsWith(start),
  };
}

export const endsWith = (end: string): Question => ({
  on: (attribute) => ({ attribute, operator: 'ends-with', values: [end] }),
  of: (value) => typeof value === 'string' && value.endsWith(end),
});

export const identical = (wanted: Scalar | null): Question =>
  wanted === null
    ? IS_MISSING
    : {
        on: (attribute) => ({ attribute, operator: 'equals', value: wanted }),
        of: (value) => value === wanted,
      };

const LOOSE: Readonly<Record<string, LooseOperator>> = {
  '==': 'loosely-equals',
  '<': 'loosely-less-than',
  '<=': 'loosely-at-most',
  '>': 'loosely-greater-than',
  '>=': 'loosely-at-least',
};

/** An attribute and then a constant: what is no number cannot be compared with one. undefined: with null, in order. */
export function constantLast(operator: string, wanted: Scalar | null): Question | undefined {
  if (wanted === null) return operator === '==' ? IS_NULL : undefined;
  const loose = LOOSE[operator];
  return loose && loosely(loose, wanted);
}

/**
 * A constant and then an attribute, with the operator turned round: in the code that flagd-core makes of rules only
 * lists and objects cannot be compared then, and null equals nothing else.
 */
export function constantFirst(operator: string, wanted: Scalar | null): Question | undefined {
  const plain = constantLast(operator, wanted);
  if (!plain) return undefined;
  return {
    on: (attribute) => unfailing(operator, wanted, attribute, plain.on(attribute)),
    of: (value) => {
      if (typeof value === 'object' && value !== null) return undefined;
      if (operator === '==' && (value === null || wanted === null)) return value === wanted;
      return plain.of(value) ?? false;
    },
  };
}

function unfailing(
  operator: string,
  wanted: Scalar | null,
  attribute: string,
  plain: Condition,
): Condition {
  const isNumber = IS_NUMBER.on(attribute);
  // Asked for its failing alone, of lists and objects.
  const orFails = (condition: Condition): Condition => ({
    any: [{ all: [isNumber, { any: [] }] }, condition],
  });
  const isText = IS_TEXT.on(attribute);
  const isOfNumbers = wanted !== null && !Number.isNaN(Number(wanted));
  if (operator === '==')
    return isOfNumbers
      ? { all: [{ attribute, operator: 'present', value: true }, isNumber, plain] }
      : orFails(identical(wanted).on(attribute));
  if (typeof wanted !== 'string') return { all: [isNumber, plain] };
  return isOfNumbers ? plain : orFails({ all: [isText, plain] });
}
