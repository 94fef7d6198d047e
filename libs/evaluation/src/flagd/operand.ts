import type { Condition, Scalar } from '@tidegate/contracts';
import { attributePath } from '@tidegate/contracts';
import { isObject, type Report, shown } from './problems.ts';
import { all, any, type Test, UNKNOWN } from './tests.ts';
import type { Work } from './work.ts';

/** What an argument of a comparison is: known now, or an attribute, with what stands for it while it is missing. */
export type Operand =
  | { readonly value: Scalar | null }
  | { readonly attribute: string; readonly fallback: Scalar | null };

/** One question about an attribute: as a condition, and as an answer for a value that is known. */
export interface Question {
  readonly on: (attribute: string) => Condition;
  /** Undefined: flagd fails on it. */
  readonly of: (value: unknown) => boolean | undefined;
}

export interface Scope {
  readonly flagKey: string;
  readonly report: Report;
  /** Left for this flag; once it is spent nothing is written out any more. */
  readonly work: Work;
  /** flagd-core makes code of rules, but for an `if` without an else: that it interprets, and `cat` differs there. */
  readonly isInterpreted?: boolean;
}

export const interpreted = (scope: Scope, args: readonly unknown[]): Scope =>
  args.length < 3 ? { ...scope, isInterpreted: true } : scope;

export const isScalar = (value: unknown): value is Scalar =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** undefined: reported. */
export function operandOf(logic: unknown, where: string, scope: Scope): Operand | undefined {
  if (isScalar(logic) || logic === null) return { value: logic };
  if (isObject(logic) && Object.keys(logic).join() === 'var')
    return variable(logic['var'], `${where}.var`, scope);
  scope.report(where, `${shown(logic)} is compared; expected an attribute or a constant`);
  return undefined;
}

/** Of these flagd reads what the language has, such as the length of a text or an entry of a list. */
const BUILT_IN = new Set(
  [Object.prototype, Array.prototype, String.prototype].flatMap((each) =>
    Object.getOwnPropertyNames(each),
  ),
);
const isBuiltIn = (name: string): boolean => /^\d+$/.test(name) || BUILT_IN.has(name);

function variable(argument: unknown, where: string, scope: Scope): Operand | undefined {
  const [path, fallback = null, ...rest] = Array.isArray(argument)
    ? (argument as unknown[])
    : [argument];
  if (path === '$flagd.flagKey') return { value: scope.flagKey };
  if (path === '$flagd.timestamp')
    return no(scope, where, 'the time of evaluation decides; schedule the change instead');
  if (typeof path !== 'string' || !attributePath.safeParse(path).success || path.includes('\\'))
    return no(scope, where, `${shown(argument)} is no path of names joined by dots`);
  if (path.startsWith('$flagd') || path.includes('../') || path.split('.').some(isBuiltIn))
    return no(scope, where, `"${path}" reads something else than an attribute of the context`);
  if (rest.length > 0 || !(isScalar(fallback) || fallback === null))
    return no(scope, where, `expected one constant to stand for "${path}" while it is missing`);
  return { attribute: path, fallback };
}

function no({ report }: Scope, where: string, what: string): undefined {
  report(where, what);
  return undefined;
}

/** Asks the question of the operand. */
export function ask(question: Question, operand: Operand, where: string, { report }: Scope): Test {
  const known = 'value' in operand ? operand.value : operand.fallback;
  if (!('value' in operand) && known === null) return question.on(operand.attribute);
  const answer = question.of(known);
  if (answer === undefined) {
    report(where, `flagd fails to compare ${shown(known)} here`);
    return UNKNOWN;
  }
  if ('value' in operand) return answer;
  const { attribute } = operand;
  const missing: Condition = { attribute, operator: 'present', value: false };
  const present: Condition = { attribute, operator: 'present', value: true };
  return answer ? any([missing, question.on(attribute)]) : all([present, question.on(attribute)]);
}
