import { MAX_TOTAL_WEIGHT, type Split } from '@tidegate/contracts';
import { ask, isScalar, operandOf, type Scope } from './operand.ts';
import { IS_TEXT, IS_TRUE } from './questions.ts';
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
    if (leavesOut && (parts.length < 2 || parts.length > 6))
      scope.report(where, `expected two to six arguments of cat, in an "if" without an else`);
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

/** What is hashed, the last for all that is left: without the attributes that are missing where those do not count. */
export function inputsOf({ input, leavesOut }: Fractional): [Test[], Input][] {
  let found: [Test[], Input][] = [[[], []]];
  for (const part of input) {
    const without: [Test[], Input][] =
      typeof part === 'string' || !leavesOut
        ? []
        : found.map(([tests, parts]) => [
            [...tests, { attribute: part.attribute, operator: 'present', value: false }],
            parts,
          ]);
    found = [
      ...without,
      ...found.map(([tests, parts]): [Test[], Input] => [tests, [...parts, part]]),
    ];
  }
  return found.map(([tests, parts]) => [tests, parts.length > 0 ? parts : ['']]);
}

/** `fractional` with a choice inside a share is a choice between two of them: flagd decides both before it hashes. */
export function hoist(args: readonly unknown[]): unknown[] | undefined {
  for (const [i, share] of args.entries())
    if (Array.isArray(share))
      for (const [j, part] of (share as unknown[]).entries()) {
        const choice: unknown = isObject(part) ? part['if'] : undefined;
        if (!Array.isArray(choice) || choice.length < 2) continue;
        const as = (instead: unknown) => ({
          fractional: args.with(i, (share as unknown[]).with(j, instead)),
        });
        const [test, then, ...rest] = choice as unknown[];
        const otherwise = rest.length > 1 ? { if: rest } : (rest[0] ?? null);
        return [test, as(then), as(otherwise)];
      }
  return undefined;
}
