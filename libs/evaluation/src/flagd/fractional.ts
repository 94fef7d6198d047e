import { MAX_TOTAL_WEIGHT, type Split } from '@tidegate/contracts';
import { ask, isScalar, operandOf, type Scope } from './operand.ts';
import { IS_TEXT, IS_TRUE } from './comparison.ts';
import { isObject, shown } from './problems.ts';
import type { Test } from './tests.ts';

type Input = NonNullable<Split['input']>;

/** Shares of a `fractional`, in their order; `variant` is null where the default is served. */
export interface Fractional {
  readonly input: Input;
  /** When there is something to hash; else nothing is served. */
  readonly applies: Test;
  /** A missing attribute is left out of the input, not the text `null`. */
  readonly leavesOut?: boolean;
  readonly shares: readonly { readonly variant: string | null; readonly weight: number }[];
}

/** undefined: it serves nothing, ever. Source: flagd's operator of version 2 (open-feature/flagd#1909). */
export function fractionalOf(
  args: readonly unknown[],
  where: string,
  scope: Scope,
): Fractional | undefined {
  const [first] = args;
  if (args.length === 0) return undefined;
  const hasKey = !Array.isArray(first);
  const unit = hasKey ? unitOf(first, `${where}[0]`, scope) : byTargetingKey(scope, where);
  const offset = hasKey ? 1 : 0;
  const shares = args
    .slice(offset)
    .map((each, i) => shareOf(each, `${where}[${i + offset}]`, scope));
  if (!unit || shares.includes(undefined)) return undefined;
  const known = shares.filter((share) => share !== undefined);
  const total = known.reduce((sum, { weight }) => sum + weight, 0);
  return total < 1 || total > MAX_TOTAL_WEIGHT ? undefined : { ...unit, shares: known };
}

type Unit = Omit<Fractional, 'shares'>;

function byTargetingKey(scope: Scope, where: string): Unit {
  const attribute = 'targetingKey';
  const applies = ask(IS_TRUE, { attribute, fallback: null }, where, scope);
  return { input: [scope.flagKey, { attribute }], applies };
}

/** What stands for the unit: a text, an attribute that holds one, or several joined by `cat`. */
function unitOf(logic: unknown, where: string, scope: Scope): Unit | undefined {
  if (isObject(logic) && Object.keys(logic).join() === 'cat' && Array.isArray(logic['cat'])) {
    const parts = logic['cat'].map((part, i) => partOf(part, `${where}.cat[${i}]`, scope));
    const input = parts.filter((part) => part !== undefined);
    const leavesOut = scope.isInterpreted === true;
    if (leavesOut && parts.length < 2) scope.report(where, '`cat` of a single argument');
    return { input: input.length > 0 ? input : [''], applies: true, leavesOut };
  }
  const operand = operandOf(logic, where, scope);
  if (!operand) return undefined;
  if ('value' in operand)
    return typeof operand.value === 'string'
      ? { input: [operand.value], applies: true }
      : undefined;
  const { attribute, fallback } = operand;
  if (fallback === null)
    return { input: [{ attribute }], applies: ask(IS_TEXT, operand, where, scope) };
  scope.report(where, `"${attribute}" is hashed, or ${shown(fallback)} while it is missing`);
  return undefined;
}

function partOf(logic: unknown, where: string, scope: Scope): Input[number] | undefined {
  const operand = operandOf(logic, where, scope);
  if (!operand) return undefined;
  if ('value' in operand)
    return operand.value === null && scope.isInterpreted ? '' : String(operand.value);
  const { attribute, fallback } = operand;
  if (fallback === null) return { attribute };
  scope.report(where, `"${attribute}" is hashed, or ${shown(fallback)} while it is missing`);
  return undefined;
}

/** undefined: flagd takes the whole operator for invalid, and serves the default. */
function shareOf(
  logic: unknown,
  where: string,
  scope: Scope,
): Fractional['shares'][number] | undefined {
  if (!Array.isArray(logic)) {
    scope.report(where, `${shown(logic)}: expected [variant, weight]`);
    return undefined;
  }
  const [variant, weight = 1] = logic as unknown[];
  if (logic.length === 0 || logic.length > 2) return undefined;
  if (typeof weight === 'object' && weight !== null)
    scope.report(`${where}[1]`, `${shown(weight)}: expected a constant weight`);
  if (typeof variant === 'object' && variant !== null)
    scope.report(`${where}[0]`, `${shown(variant)}: expected a constant variant`);
  if (typeof weight !== 'number' || !Number.isInteger(weight)) return undefined;
  return {
    variant: isScalar(variant) ? String(variant) : null,
    weight: Math.max(0, weight),
  };
}
