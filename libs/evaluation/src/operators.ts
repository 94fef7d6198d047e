import { type Comparison, dateOf, type Scalar } from '@tidegate/contracts';
import { type Matcher, networkMatcher, patternMatcher, rangeMatcher } from './patterns.ts';

/**
 * What the comparison says of an attribute that is there; a sentence if its operand cannot be used. Letters are folded
 * by `toLowerCase`, numbers are finite numbers only, and a text is never taken for a number.
 */
export function matcherOf({ operator, value, values, ignoreCase }: Comparison): Matcher | string {
  const fold = ignoreCase === true;
  switch (operator) {
    case 'equals':
      return value === undefined ? 'expected a value' : oneOf([value], fold);
    case 'in':
      return values === undefined ? 'expected values' : oneOf(values, fold);
    case 'starts-with':
      return ofTexts(values, fold, (text, part) => text.startsWith(part));
    case 'ends-with':
      return ofTexts(values, fold, (text, part) => text.endsWith(part));
    case 'contains':
      return containing(values, fold);
    case 'less-than':
      return ofNumbers(value, (number, limit) => number < limit);
    case 'at-most':
      return ofNumbers(value, (number, limit) => number <= limit);
    case 'greater-than':
      return ofNumbers(value, (number, limit) => number > limit);
    case 'at-least':
      return ofNumbers(value, (number, limit) => number >= limit);
    case 'before':
      return ofDates(value, (at, limit) => at < limit);
    case 'after':
      return ofDates(value, (at, limit) => at > limit);
    case 'semver':
      return typeof value === 'string' ? rangeMatcher(value) : 'expected a text';
    case 'matches':
      return typeof value === 'string' ? patternMatcher(value, fold) : 'expected a text';
    case 'cidr':
      return areTexts(values) ? networkMatcher(values) : 'expected a list of texts';
    case 'present':
      return value === true || value === false ? () => value : 'expected true or false';
    default:
      return `there is no operator ${operator}`;
  }
}

function oneOf(values: readonly Scalar[], fold: boolean): Matcher {
  const wanted = new Set<unknown>(values.map((each) => folded(each, fold)));
  const isOfKind = kindsOf(values);
  const [only] = wanted;
  if (fold) return (value) => wanted.has(folded(value, fold)) || isOfKind(value);
  if (wanted.size === 1) return (value) => value === only || isOfKind(value);
  return (value) => wanted.has(value) || isOfKind(value);
}

/** False for a value of the same type as one of these; undefined for another type. */
function kindsOf(values: readonly Scalar[]): (value: unknown) => false | undefined {
  const kinds = new Set(values.map((each) => typeof each));
  const hasText = kinds.has('string');
  const hasNumber = kinds.has('number');
  const hasBoolean = kinds.has('boolean');
  return (value) => {
    if (typeof value === 'string') return hasText ? false : undefined;
    if (typeof value === 'number') return hasNumber && Number.isFinite(value) ? false : undefined;
    return hasBoolean && typeof value === 'boolean' ? false : undefined;
  };
}

const folded = <T>(value: T, fold: boolean): T =>
  fold && typeof value === 'string' ? (value.toLowerCase() as T) : value;

const areTexts = (values: readonly Scalar[] | undefined): values is readonly string[] =>
  values?.every((each) => typeof each === 'string') === true;

function ofTexts(
  values: readonly Scalar[] | undefined,
  fold: boolean,
  holds: (text: string, part: string) => boolean,
): Matcher | string {
  if (!areTexts(values)) return 'expected a list of texts';
  const parts = values.map((each) => folded(each, fold));
  return (value) => {
    if (typeof value !== 'string') return undefined;
    const text = folded(value, fold);
    for (const part of parts) if (holds(text, part)) return true;
    return false;
  };
}

/** A part of a text, or an entry of a list. */
function containing(values: readonly Scalar[] | undefined, fold: boolean): Matcher | string {
  const inText = ofTexts(values, fold, (text, part) => text.includes(part));
  if (typeof inText === 'string' || !areTexts(values)) return inText;
  const entries = new Set(values.map((each) => folded(each, fold)));
  return (value) => {
    if (!Array.isArray(value)) return inText(value);
    for (const entry of value) if (entries.has(folded(entry, fold) as string)) return true;
    return false;
  };
}

function ofNumbers(
  limit: Scalar | undefined,
  holds: (number: number, limit: number) => boolean,
): Matcher | string {
  if (typeof limit !== 'number') return 'expected a number';
  return (value) =>
    typeof value === 'number' && Number.isFinite(value) ? holds(value, limit) : undefined;
}

function ofDates(
  limit: Scalar | undefined,
  holds: (at: number, limit: number) => boolean,
): Matcher | string {
  const moment = dateOf(limit);
  if (moment === undefined) return 'expected a date such as 2026-11-28T10:00:00Z, or ms since 1970';
  return (value) => {
    const at = dateOf(value);
    return at === undefined ? undefined : holds(at, moment);
  };
}
