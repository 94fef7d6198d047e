import type { Scalar } from '@tidegate/contracts';
import { looseVersion } from '../loosely.ts';
import { ask, isScalar, type Operand, operandOf, type Question, type Scope } from './operand.ts';
import { shown } from './problems.ts';
import {
  constantFirst,
  constantLast,
  endsWith,
  identical,
  IS_MISSING,
  IS_TEXT,
  loosely,
  startsWith,
} from './questions.ts';
import { all, any, not, type Test, UNKNOWN } from './tests.ts';

/** `==`, `===`, `<` and so on, of an attribute and a constant, or between two constants. */
export function comparison(
  operator: string,
  args: readonly unknown[],
  where: string,
  scope: Scope,
): Test {
  const [first, second, third] = args.map((arg, i) => operandOf(arg, `${where}[${i}]`, scope));
  if (args.length === 3 && operator in FLIPPED && first && second && third) {
    const limits = [first, third];
    if (limits.every((limit) => 'value' in limit && typeof limit.value === 'number'))
      return all([
        ofTwo(operator, first, second, where, scope),
        ofTwo(operator, second, third, where, scope),
      ]);
  }
  if (args.length === 2 && first && second) return ofTwo(operator, first, second, where, scope);
  if (args.length !== 2) scope.report(where, `expected two arguments, or a range of numbers`);
  return UNKNOWN;
}

const FLIPPED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const flip = (operator: string): string => FLIPPED[operator] ?? operator;

function ofTwo(
  operator: string,
  first: Operand,
  second: Operand,
  where: string,
  scope: Scope,
): Test {
  if ('value' in second) return withConstant(operator, first, second.value, constantLast);
  if (!('value' in first)) {
    scope.report(where, 'two attributes are compared with each other');
    return UNKNOWN;
  }
  // The interpreter of flagd-core does not mind which comes first.
  const make = scope.isInterpreted === true ? constantLast : constantFirst;
  return withConstant(flip(operator), second, first.value, make);

  function withConstant(
    is: string,
    operand: Operand,
    wanted: Scalar | null,
    loose: typeof constantLast,
  ): Test {
    const isNegated = is.startsWith('!');
    const positive = isNegated ? is.replace('!', '=') : is;
    const question = positive === '===' ? identical(wanted) : loose(positive, wanted);
    if (question)
      return isNegated
        ? not(ask(question, operand, where, scope))
        : ask(question, operand, where, scope);
    scope.report(where, `${operator} compares with null`);
    return UNKNOWN;
  }
}

/** `in`: one of a list of constants, a part of a text, or an entry of a list that an attribute holds. */
export function contained(args: readonly unknown[], where: string, scope: Scope): Test {
  const [item, holder] = args;
  if (Array.isArray(holder)) return oneOf(item, holder as unknown[], where, scope);
  const part = operandOf(item, `${where}[0]`, scope);
  const whole = operandOf(holder, `${where}[1]`, scope);
  if (!part || !whole) return UNKNOWN;
  if ('value' in part && part.value !== null)
    return ask(loosely('loosely-contains', part.value), whole, where, scope);
  if ('value' in whole && typeof whole.value === 'string')
    return whole.value === ''
      ? false
      : ask(loosely('loosely-within', whole.value), part, where, scope);
  scope.report(where, `${shown(args)}: expected a constant on one of both sides`);
  return UNKNOWN;
}

function oneOf(item: unknown, list: readonly unknown[], where: string, scope: Scope): Test {
  scope.work.spend(list.length);
  const operand = operandOf(item, `${where}[0]`, scope);
  const values = list.filter(isScalar);
  const hasNull = list.includes(null);
  if (values.length + list.filter((each) => each === null).length !== list.length)
    scope.report(`${where}[1]`, `${shown(list)} holds something else than constants`);
  if (!operand) return UNKNOWN;
  const among: Question = {
    on: (attribute) => ({ attribute, operator: 'in', values }),
    of: (value) => isScalar(value) && values.includes(value),
  };
  return any([
    hasNull && ask(IS_MISSING, operand, where, scope),
    values.length > 0 && ask(among, operand, where, scope),
  ]);
}

/** A comparison that gives nothing at all, neither true nor false, where an argument is of the wrong kind. */
export interface Partial {
  readonly holds: Test;
  readonly applies: Test;
}

const NOWHERE: Partial = { holds: false, applies: false };

/** `starts_with` and `ends_with` apply to texts. */
export function textTest(
  operator: 'starts_with' | 'ends_with',
  args: readonly unknown[],
  where: string,
  scope: Scope,
): Partial {
  if (args.length !== 2) return NOWHERE;
  const operand = operandOf(args[0], `${where}[0]`, scope);
  const part = operandOf(args[1], `${where}[1]`, scope);
  if (!operand || !part) return NOWHERE;
  if (!('value' in part)) {
    scope.report(`${where}[1]`, `${operator} looks for an attribute; expected a constant`);
    return NOWHERE;
  }
  if (typeof part.value !== 'string') return NOWHERE;
  const question = operator === 'starts_with' ? startsWith(part.value) : endsWith(part.value);
  return {
    holds: ask(question, operand, where, scope),
    applies: ask(IS_TEXT, operand, where, scope),
  };
}

const VERSION_OPERATORS = ['=', '!=', '<', '<=', '>', '>=', '^', '~'];

/** `sem_ver` applies to what can be read as a version. */
export function versionTest(args: readonly unknown[], where: string, scope: Scope): Partial {
  const [first, operator, second] = args;
  if (args.length !== 3) return NOWHERE;
  const version = operandOf(first, `${where}[0]`, scope);
  const other = operandOf(second, `${where}[2]`, scope);
  if (!version || !other) return NOWHERE;
  if (!isScalar(operator)) {
    scope.report(`${where}[1]`, `expected one of ${VERSION_OPERATORS.join(' ')}`);
    return NOWHERE;
  }
  if (!VERSION_OPERATORS.includes(String(operator))) return NOWHERE;
  if ('value' in other) return ofVersion(version, String(operator), other.value, where, scope);
  if ('value' in version)
    return ofVersion(other, flip(String(operator)), version.value, where, scope);
  scope.report(where, 'two attributes are compared with each other');
  return NOWHERE;
}

function ofVersion(
  operand: Operand,
  operator: string,
  constant: Scalar | null,
  where: string,
  scope: Scope,
): Partial {
  const wanted = looseVersion(String(constant))?.version;
  if (wanted === undefined) return NOWHERE;
  const is = (of: string) =>
    ask(loosely('loosely-semver', `${of} ${wanted}`), operand, where, scope);
  return { holds: is(operator), applies: any([is('='), is('!=')]) };
}
