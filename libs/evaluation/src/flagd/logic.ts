import { comparison, contained, textTest, versionTest } from './comparison.ts';
import { ask, interpreted, isScalar, operandOf, type Scope } from './operand.ts';
import { isObject, shown } from './problems.ts';
import { IS_TRUE } from './questions.ts';
import { all, any, not, type Test, UNKNOWN } from './tests.ts';

export interface Operation {
  readonly operator: string;
  readonly args: readonly unknown[];
  readonly where: string;
}

/** `{ operator: arguments }`; undefined: it is none, which is reported, or it is too much. */
export function operationOf(logic: unknown, where: string, scope: Scope): Operation | undefined {
  scope.work.spend();
  if (scope.work.isSpent) return undefined;
  const [operator, ...rest] = isObject(logic) ? Object.keys(logic) : [];
  if (!isObject(logic) || operator === undefined || rest.length > 0) {
    scope.report(where, `${shown(logic)}: expected one operator with its arguments`);
    return undefined;
  }
  const args = logic[operator];
  if (!Array.isArray(args) && !UNARY.has(operator)) {
    scope.report(`${where}.${operator}`, 'expected a list of arguments');
    return undefined;
  }
  scope.work.spend(Array.isArray(args) ? args.length : 1);
  return {
    operator,
    args: Array.isArray(args) ? (args as unknown[]) : [args],
    where: `${where}.${operator}`,
  };
}

const UNARY = new Set(['!', '!!', 'var']);
const EQUALITIES = ['==', '===', '!=', '!=='];
const COMPARISONS = [...EQUALITIES, '<', '<=', '>', '>='];
/** What gives true or false, and nothing else. */
export const TRUE_OR_FALSE: ReadonlySet<string> = new Set([...COMPARISONS, 'in', '!', '!!']);

/** When JsonLogic takes it for true. */
export function testOf(logic: unknown, at: string, scope: Scope): Test {
  if (isScalar(logic) || logic === null) return Boolean(logic);
  const operation = operationOf(logic, at, scope);
  if (!operation) return UNKNOWN;
  const { operator, args, where } = operation;
  const each = () => args.map((arg, i) => testOf(arg, `${where}[${i}]`, scope));
  const [first] = args;
  if (COMPARISONS.includes(operator)) return compared(operation, scope);
  switch (operator) {
    case 'and':
      return args.length > 0 && all(each());
    case 'or':
      return any(each());
    case '!':
      return not(args.length > 0 && testOf(first, where, scope));
    case '!!':
      return args.length > 0 && testOf(first, where, scope);
    case 'if':
    case '?:':
      return chosen(args, where, interpreted(scope, args));
    case 'in':
      return contained(args, where, scope);
    case 'starts_with':
    case 'ends_with':
      return textTest(operator, args, where, scope).holds;
    case 'sem_ver':
      return versionTest(args, where, scope).holds;
    case 'var': {
      const operand = operandOf(logic, at, scope);
      return operand === undefined ? UNKNOWN : ask(IS_TRUE, operand, where, scope);
    }
    default:
      scope.report(where, `there is nothing like the operator "${operator}" in a condition`);
      return UNKNOWN;
  }
}

/** What is true or false itself, compared with true or false, is that or its opposite. */
function compared({ operator, args, where }: Operation, scope: Scope): Test {
  const [first, second] = args;
  const isOfTwo = args.length === 2 && EQUALITIES.includes(operator);
  if (!isOfTwo || typeof second !== 'boolean' || !isTrueOrFalse(first))
    return comparison(operator, args, where, scope);
  const test = testOf(first, `${where}[0]`, scope);
  return second === !operator.startsWith('!') ? test : not(test);
}

const isTrueOrFalse = (logic: unknown): boolean =>
  isObject(logic) && Object.keys(logic).every((operator) => TRUE_OR_FALSE.has(operator));

function chosen(args: readonly unknown[], where: string, scope: Scope): Test {
  if (args.length === 0) return false;
  const tests = args.map((arg, i) => testOf(arg, `${where}[${i}]`, scope));
  let otherwise: Test = tests.length % 2 === 1 ? (tests.pop() ?? false) : false;
  for (const [i, test] of [...tests.entries()].reverse())
    if (i % 2 === 0)
      otherwise = any([all([test, tests[i + 1] ?? false]), all([not(test), otherwise])]);
  return otherwise;
}
