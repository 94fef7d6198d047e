import type { Rule, Split } from '@tidegate/contracts';
import { type Partial, textTest, versionTest } from './comparison.ts';
import { type Fractional, fractionalOf, hoist, inputsOf } from './fractional.ts';
import { operationOf, testOf, TRUE_OR_FALSE } from './logic.ts';
import { interpreted, isScalar, type Scope } from './operand.ts';
import { all, any, canFail, depthOf, not, sizeOf, type Test } from './tests.ts';
import type { Work } from './work.ts';

export interface Served {
  readonly variants: Readonly<Record<string, unknown>>;
  /** What is served where a targeting rule gives nothing. */
  readonly defaultVariant: string;
}

/** Of all rules together: who writes more than that in a flag has written something else than a flag. */
const MAX_CONDITIONS = 5_000;
/** How many stand within each other. Each is two levels of JSON, and messages that are nested too deep are not read. */
const MAX_DEPTH = 40;

/** The rules that serve what the JsonLogic gives, in the order in which it decides. */
export function rulesOf(logic: unknown, at: string, served: Served, scope: Scope): Rule[] {
  const writer = new RuleWriter(served, scope.work);
  writer.write(logic, true, at, scope);
  if (writer.isTooMuch)
    scope.report(
      at,
      `it takes more than ${MAX_CONDITIONS} conditions, or more than ${MAX_DEPTH} within each other, to write it out`,
    );
  return writer.isTooMuch ? [] : writer.rules;
}

class RuleWriter {
  readonly rules: Rule[] = [];
  readonly #served: Served;
  readonly #work: Work;
  #conditions = 0;
  #depth = 0;

  constructor(served: Served, work: Work) {
    this.#served = served;
    this.#work = work;
  }

  get isTooMuch(): boolean {
    return this.#conditions > MAX_CONDITIONS || this.#depth > MAX_DEPTH || this.#work.isSpent;
  }

  /** Writes what `logic` gives when `when` holds. Returns when it gives nothing, so that the default is served. */
  write(logic: unknown, when: Test, at: string, scope: Scope): Test {
    this.#work.spend();
    if (when === false || this.isTooMuch) return false;
    if (logic === null) return this.#nothing(when);
    if (isScalar(logic)) return this.#serve(String(logic), when, at, scope);
    const operation = operationOf(logic, at, scope);
    if (!operation) return false;
    const { operator, args, where } = operation;
    if (TRUE_OR_FALSE.has(operator)) {
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
    if (when === false) return;
    const size = 1 + sizeOf(when);
    this.#conditions += size;
    this.#work.spend(Math.min(size, MAX_CONDITIONS));
    this.#depth = Math.max(this.#depth, depthOf(when));
    this.rules.push(when === true ? rule : { when, ...rule });
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
    for (const [missing, input] of inputsOf(found))
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
