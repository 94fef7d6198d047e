import type { KnownPath, Row } from './path.ts';
import { isPlain, valueAt } from './value.ts';

/** A value that every target can compare. Absent and null are the same; true is 1 and false is 0, as not every target has booleans. */
export type Scalar = string | number | bigint | boolean | null;

/** A test of one field; all that are given must hold. An ordering is false for null and NaN; texts are ordered by code point. */
export interface Test {
  readonly equals?: Scalar;
  readonly not?: Scalar;
  readonly in?: readonly Scalar[];
  /** Neither absent nor null. */
  readonly exists?: boolean;
  readonly above?: number | string;
  readonly atLeast?: number | string;
  readonly below?: number | string;
  readonly atMost?: number | string;
}

/**
 * Which documents: every field's test must hold, and, where `anyOf` is given, one of its filters. A field is a path
 * through plain objects, `address.city`; what lies behind a list is absent. Each target translates it into its own query.
 */
export type Filter<D extends Row = Row> = [KnownPath<D>] extends [never]
  ? { readonly [path: string]: Test | readonly Filter[] | undefined }
  : { readonly [path in KnownPath<D>]?: Test } & { readonly anyOf?: readonly Filter<D>[] };

/** One of the conditions that must all hold. */
export type Condition =
  | { readonly path: readonly string[]; readonly test: Test }
  | { readonly anyOf: readonly (readonly Condition[])[] };

/** A filter taken apart, for those who translate it. */
export const conditionsOf = (filter: Filter): readonly Condition[] =>
  Object.entries(filter).flatMap(([field, given]): Condition[] => {
    if (given === undefined) return [];
    return isList(given)
      ? [{ anyOf: given.map(conditionsOf) }]
      : [{ path: field.split('.'), test: given }];
  });

/** The paths that a filter looks at. */
export const pathsOf = (filter: Filter): readonly (readonly string[])[] => {
  const paths = (conditions: readonly Condition[]): (readonly string[])[] =>
    conditions.flatMap((each) => ('anyOf' in each ? each.anyOf.flatMap(paths) : [each.path]));
  return paths(conditionsOf(filter));
};

/** The filter's meaning: what every target's translation must agree with. */
export function matches(filter: Filter, document: Row): boolean {
  for (const field in filter) {
    const given = filter[field];
    if (given === undefined) continue;
    const holds = isList(given)
      ? given.some((each) => matches(each, document))
      : passes(given, valueAt(document, field.split('.')));
    if (!holds) return false;
  }
  return true;
}

const isList = (given: Test | readonly Filter[]): given is readonly Filter[] =>
  Array.isArray(given);

const passes = (test: Test, value: unknown): boolean =>
  (test.equals === undefined || same(value, test.equals)) &&
  (test.not === undefined || !same(value, test.not)) &&
  (test.in === undefined || test.in.some((each) => same(value, each))) &&
  (test.exists === undefined || test.exists !== same(value, null)) &&
  ordered(value, test.above, (sign) => sign > 0) &&
  ordered(value, test.atLeast, (sign) => sign >= 0) &&
  ordered(value, test.below, (sign) => sign < 0) &&
  ordered(value, test.atMost, (sign) => sign <= 0);

/** An integer that is too large for a number comes as a bigint; 5n is 5. */
function plain(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'bigint' && BigInt.asIntN(53, value) === value) return Number(value);
  return value ?? null;
}

const same = (a: unknown, b: Scalar): boolean => plain(a) === plain(b);

const isNumber = (value: unknown): value is number | bigint =>
  (typeof value === 'number' && !Number.isNaN(value)) || typeof value === 'bigint';

const ordered = (
  value: unknown,
  bound: number | string | undefined,
  holds: (sign: number) => boolean,
): boolean => {
  if (bound === undefined) return true;
  if (typeof bound === 'string')
    return typeof value === 'string' && holds(byCodePoint(value, bound));
  return isNumber(value) && holds(value < bound ? -1 : value > bound ? 1 : 0);
};

/** As databases order that compare bytes of UTF-8: halves of a pair come after all that needs no pair. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1)
    if (a[at] !== b[at]) return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
  return a.length - b.length;
}
const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10_000 : unit);

const isBound = (value: unknown): boolean => typeof value === 'string' || Number.isFinite(value);
const isScalar = (value: unknown): boolean =>
  value === null || typeof value === 'boolean' || typeof value === 'bigint' || isBound(value);

const TESTS: Readonly<Record<keyof Test, readonly [(value: unknown) => boolean, string]>> = {
  equals: [isScalar, 'text, a number, a boolean or null'],
  not: [isScalar, 'text, a number, a boolean or null'],
  in: [(value) => Array.isArray(value) && value.every(isScalar), 'a list of such values'],
  exists: [(value) => typeof value === 'boolean', 'true or false'],
  above: [isBound, 'text or a number'],
  atLeast: [isBound, 'text or a number'],
  below: [isBound, 'text or a number'],
  atMost: [isBound, 'text or a number'],
};
const NAMES = Object.keys(TESTS).join(', ');

/** What is wrong with a filter that was loaded, each with its place below `path`; a filter without a test takes everything. */
export function filterProblems(path: string, filter: unknown): readonly string[] {
  if (!isPlain(filter)) return [`${path}: expected a filter, { field: { equals: … } }`];
  return Object.entries(filter).flatMap(([field, given]) => {
    const at = `${path}.${field}`;
    return field === 'anyOf' ? anyOfProblems(at, given) : testProblems(at, field, given);
  });
}

function anyOfProblems(at: string, given: unknown): readonly string[] {
  if (!Array.isArray(given) || given.length === 0)
    return [`${at}: expected a list of filters, one of which must hold`];
  return given.flatMap((each: unknown, index) =>
    isPlain(each) && Object.keys(each).length === 0
      ? [`${at}[${index}]: expected a filter that does not take everything`]
      : filterProblems(`${at}[${index}]`, each),
  );
}

function testProblems(at: string, field: string, test: unknown): readonly string[] {
  if (field.split('.').some((name) => name === '' || name.startsWith('$')))
    return [`${at}: expected names that are joined by dots, none of them empty or with a $ first`];
  if (!isPlain(test) || Object.keys(test).length === 0)
    return [`${at}: expected a test, one of ${NAMES}`];
  return Object.entries(test).flatMap(([name, value]) => {
    if (!Object.hasOwn(TESTS, name))
      return [`${at}.${name}: there is no such test; expected one of ${NAMES}`];
    const [holds, expected] = TESTS[name as keyof Test];
    return holds(value) ? [] : [`${at}.${name}: expected ${expected}`];
  });
}
