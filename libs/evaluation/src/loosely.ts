import type { Comparison, Operator, Scalar } from '@tidegate/contracts';
import semver from 'semver';

export type LooseOperator = Extract<Operator, `loosely-${string}`>;

export const isLoose = (operator: Operator): operator is LooseOperator =>
  operator.startsWith('loosely-');

/** Whether an attribute (null if missing) passes; undefined: flagd cannot compare the two and answers with an error. */
export type LooseTest = (attribute: unknown) => boolean | undefined;

/**
 * The comparisons of imported flags, as flagd makes them. Source: JsonLogic in json-logic-engine 5.0.7 and the
 * operators of @openfeature/flagd-core 4.0.1; `flagd.spec.ts` compares them with the original.
 */
export function looseTest({
  operator,
  value,
}: Pick<Comparison, 'value'> & { readonly operator: LooseOperator }): LooseTest {
  const wanted = value as Scalar;
  switch (operator) {
    case 'loosely-equals':
      return (attribute) => looselyEqual(attribute, wanted);
    case 'loosely-less-than':
      return ordered(wanted, (a, b) => a < b);
    case 'loosely-at-most':
      return ordered(wanted, (a, b) => a <= b);
    case 'loosely-greater-than':
      return ordered(wanted, (a, b) => a > b);
    case 'loosely-at-least':
      return ordered(wanted, (a, b) => a >= b);
    case 'loosely-contains':
      return (attribute) => looselyContains(attribute, wanted);
    case 'loosely-within':
      return (attribute) => String(wanted).includes(String(attribute));
    case 'loosely-null':
      return (attribute) => agrees(isLooselyNull(attribute), wanted);
    case 'loosely-number':
      return (attribute) =>
        isComposite(attribute) ? undefined : (numberIn(attribute) !== undefined) === wanted;
    case 'loosely-true':
      return (attribute) => isLooselyTrue(attribute) === wanted;
    case 'loosely-semver':
      return versionTest(String(wanted));
  }
}

/** Empty lists and objects are false, too. */
export function isLooselyTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

const agrees = (found: boolean | undefined, wanted: unknown): boolean | undefined =>
  found === undefined ? undefined : found === wanted;

const isComposite = (value: unknown): boolean => typeof value === 'object' && value !== null;

function isLooselyNull(value: unknown): boolean | undefined {
  if (value === null) return true;
  if (typeof value === 'object') return undefined;
  return value === 0 || value === false;
}

/** Two texts are compared as texts, all else as numbers. */
function looselyEqual(attribute: unknown, wanted: Scalar): boolean | undefined {
  if (typeof wanted === 'string' && (typeof attribute === 'string' || attribute === null))
    return attribute === wanted;
  const [a, b] = [numberIn(attribute), numberIn(wanted)];
  return a === undefined || b === undefined ? undefined : a === b;
}

type Order = (a: string | number, b: string | number) => boolean;

const ordered =
  (wanted: Scalar, holds: Order): LooseTest =>
  (attribute) => {
    if (typeof attribute === 'string' && typeof wanted === 'string')
      return holds(attribute, wanted);
    if (attribute === null && typeof wanted === 'string') return holds(0, Number(wanted));
    const [a, b] = [numberIn(attribute), numberIn(wanted)];
    return a === undefined || b === undefined ? undefined : holds(a, b);
  };

/** null, false and "" are 0, true is 1; undefined if it is no number. */
function numberIn(value: unknown): number | undefined {
  if (isComposite(value)) return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

function looselyContains(attribute: unknown, wanted: Scalar): boolean | undefined {
  if (!attribute) return false;
  if (typeof attribute === 'string') return attribute.includes(String(wanted));
  return Array.isArray(attribute) ? attribute.includes(wanted) : undefined;
}

const VERSION_TEST = /^(=|!=|<=|>=|<|>|\^|~) (.*)$/s;
type Compared = readonly [semver.SemVer, semver.SemVer];
const VERSION_ORDERS: Readonly<Record<string, (compared: Compared) => boolean>> = {
  '=': ([a, b]) => semver.eq(a, b),
  '!=': ([a, b]) => semver.neq(a, b),
  '<': ([a, b]) => semver.lt(a, b),
  '<=': ([a, b]) => semver.lte(a, b),
  '>': ([a, b]) => semver.gt(a, b),
  '>=': ([a, b]) => semver.gte(a, b),
  '^': ([a, b]) => a.major === b.major,
  '~': ([a, b]) => a.major === b.major && a.minor === b.minor,
};

/** Never fails: what is no version passes no comparison. */
function versionTest(written: string): LooseTest {
  const [, operator = '', of = ''] = VERSION_TEST.exec(written) ?? [];
  const wanted = looseVersion(of);
  const order = VERSION_ORDERS[operator];
  if (!wanted || !order) return () => false;
  return (attribute) => {
    const version = looseVersion(String(attribute));
    return version !== undefined && order([version, wanted]);
  };
}

/** With or without a `v` before it; `1` and `1.2` are versions, too. */
export function looseVersion(written: string): semver.SemVer | undefined {
  const text = written.replace(/^[vV]/, '');
  const parsed = semver.parse(text) ?? (/^\d+(\.\d+)?$/.test(text) ? semver.coerce(text) : null);
  return parsed ?? undefined;
}
