import type { Rule, Split } from '@tidegate/contracts';
import { type Partial, textTest, versionTest } from './comparison.ts';
import { type Fractional, fractionalOf } from './fractional.ts';
import { COMPARISONS, operationOf, testOf } from './logic.ts';
import { interpreted, isScalar, type Scope } from './operand.ts';
import { isObject } from './problems.ts';
import { all, any, canFail, not, type Test } from './tests.ts';

export interface Served {
  readonly variants: Readonly<Record<string, unknown>>;
  /** What is served where a targeting rule gives nothing. */
  readonly defaultVariant: string;
}

/** The rules that serve what the JsonLogic gives, in the order in which it decides. */
export function rulesOf(logic: unknown, at: string, served: Served, scope: Scope): Rule[] {
  const writer = new RuleWriter(served);
  writer.write(logic, true, at, scope);
  return writer.rules;
}

class RuleWriter {
  readonly rules: Rule[] = [];
  readonly #served: Served;

  constructor(served: Served) {
    this.#served = served;
  }

  /** Writes what `logic` gives when `when` holds. Returns when it gives nothing, so that the default is served. */
  write(logic: unknown, when: Test, at: string, scope: Scope): Test {
    if (when === false) return false;
    if (logic === null) return this.#nothing(when);
    if (isScalar(logic)) return this.#serve(String(logic), when, at, scope);
    const operation = operationOf(logic, at, scope);
    if (!operation) return false;
    const { operator, args, where } = operation;
    if (isTrueOrFalse(operator)) {
      this.#serve('true', all([when, testOf(logic, at, scope)]), at, scope);
      return this.#serve('false', when, at, scope);
    }
    switch (operator) {
      case 'if':
      case '?:':
        return this.#choose(args, when, where, interpreted(scope, args));
      case 'and':
        return this.#and(args, when, where, scope);
      case 'or':
        return this.#or(args, when, where, scope);
      case 'fractional':
        return this.#divide(args, when, where, scope);
      case 'starts_with':
      case 'ends_with':
        return this.#partial(textTest(operator, args, where, scope), when, at, scope);
      case 'sem_ver':
        return this.#partial(versionTest(args, where, scope), when, at, scope);
      default:
        scope.report(where, `"${operator}" would name the variant`);
        return false;
    }
  }

  /** Rules stand for what is asked; where that may fail, it is asked though nothing is served. */
  #nothing(when: Test): Test {
    if (canFail(when)) this.#add({ variant: this.#served.defaultVariant }, all([when, false]));
    return when;
  }

  #serve(variant: string, when: Test, at: string, scope: Scope): false {
    if (when === false) return false;
    if (!Object.hasOwn(this.#served.variants, variant))
      scope.report(at, `there is no variant "${variant}": flagd answers with an error there`);
    this.#add({ variant }, when);
    return false;
  }

  #add(rule: Rule, when: Test): void {
    if (when !== false) this.rules.push(when === true ? rule : { when, ...rule });
  }

  #choose(args: readonly unknown[], when: Test, where: string, scope: Scope): Test {
    const nothing: Test[] = [];
    let here = when;
    for (let i = 0; i + 1 < args.length; i += 2) {
      const test = testOf(args[i], `${where}[${i}]`, scope);
      const none = this.write(args[i + 1], all([here, test]), `${where}[${i + 1}]`, scope);
      nothing.push(none);
      if (none !== false || test === true) here = all([here, not(test)]);
    }
    const last = args.length - 1;
    nothing.push(this.write(args.length % 2 ? args[last] : null, here, `${where}[${last}]`, scope));
    return any(nothing);
  }

  #and([first, ...rest]: readonly unknown[], when: Test, where: string, scope: Scope): Test {
    if (rest.length === 0) return this.write(first ?? null, when, where, scope);
    return this.#choose([first, { and: rest }, first], when, where, scope);
  }

  #or([first, ...rest]: readonly unknown[], when: Test, where: string, scope: Scope): Test {
    if (rest.length === 0) return this.write(first ?? null, when, where, scope);
    return this.#choose([first, first, { or: rest }], when, where, scope);
  }

  #partial(test: Partial, when: Test, at: string, scope: Scope): Test {
    this.#serve('true', all([when, test.holds]), at, scope);
    this.#serve('false', all([when, test.applies]), at, scope);
    return this.#nothing(all([when, not(test.applies)]));
  }

  #divide(args: readonly unknown[], when: Test, where: string, scope: Scope): Test {
    const hoisted = hoist(args);
    if (hoisted) return this.#choose(hoisted, when, where, scope);
    const found = fractionalOf(args, where, scope);
    if (!found) return this.#nothing(when);
    const weights = this.#weights(found, where, scope);
    const here = all([when, found.applies]);
    for (const [missing, input] of inputs(found))
      this.#add({ split: { weights, input } }, all([here, ...missing]));
    return this.#nothing(all([when, not(found.applies)]));
  }

  #weights({ shares }: Fractional, where: string, { report }: Scope): Split['weights'] {
    return shares.map(({ variant, weight }, i) => {
      if (variant !== null && !Object.hasOwn(this.#served.variants, variant))
        report(`${where}[${i}]`, `there is no variant "${variant}"`);
      return { variant: variant ?? this.#served.defaultVariant, weight };
    });
  }
}

type Input = Fractional['input'];

/** What is hashed, the last for all that is left: without the attributes that are missing where those do not count. */
function inputs({ input, leavesOut }: Fractional): [Test[], Input][] {
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

const isTrueOrFalse = (operator: string): boolean =>
  [...COMPARISONS, 'in', '!', '!!'].includes(operator);

/** `fractional` with a choice inside a share is a choice between two of them: flagd decides both before it hashes. */
function hoist(args: readonly unknown[]): unknown[] | undefined {
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
