/** A value that every target can compare. Absent and null are the same; true is 1 and false is 0, as not every target has booleans. */
export type Scalar = string | number | bigint | boolean | null;

/** A test of one field; all that are given must hold. An ordering is false for null. */
export interface Test {
  readonly equals?: Scalar;
  readonly not?: Scalar;
  readonly in?: readonly Scalar[];
  readonly above?: number | string;
  readonly atLeast?: number | string;
  readonly below?: number | string;
  readonly atMost?: number | string;
}

/** Which documents: every field's test must hold. Each target translates it into its own query. */
export type Filter = Readonly<Record<string, Test>>;

const isNumber = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

/** An integer that is too large for a number comes as a bigint; 5n is 5. */
function plain(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'bigint' && BigInt.asIntN(53, value) === value) return Number(value);
  return value ?? null;
}

const same = (a: unknown, b: Scalar): boolean => plain(a) === plain(b);

const ordered = (
  value: unknown,
  bound: number | string | undefined,
  holds: (sign: number) => boolean,
): boolean => {
  if (bound === undefined) return true;
  const isComparable = isNumber(bound) ? isNumber(value) : typeof value === 'string';
  if (!isComparable) return false;
  const other = value as number | string;
  return holds(other < bound ? -1 : other > bound ? 1 : 0);
};

/** The filter's meaning: what every target's translation must agree with. */
export const matches = (filter: Filter, document: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(filter).every(([field, test]) => {
    const value = document[field];
    return (
      (test.equals === undefined || same(value, test.equals)) &&
      (test.not === undefined || !same(value, test.not)) &&
      (test.in === undefined || test.in.some((each) => same(value, each))) &&
      ordered(value, test.above, (sign) => sign > 0) &&
      ordered(value, test.atLeast, (sign) => sign >= 0) &&
      ordered(value, test.below, (sign) => sign < 0) &&
      ordered(value, test.atMost, (sign) => sign <= 0)
    );
  });

const isBound = (value: unknown): boolean => typeof value === 'string' || Number.isFinite(value);
const isScalar = (value: unknown): boolean =>
  value === null || typeof value === 'boolean' || typeof value === 'bigint' || isBound(value);

const TESTS: Readonly<Record<keyof Test, readonly [(value: unknown) => boolean, string]>> = {
  equals: [isScalar, 'text, a number, a boolean or null'],
  not: [isScalar, 'text, a number, a boolean or null'],
  in: [(value) => Array.isArray(value) && value.every(isScalar), 'a list of such values'],
  above: [isBound, 'text or a number'],
  atLeast: [isBound, 'text or a number'],
  below: [isBound, 'text or a number'],
  atMost: [isBound, 'text or a number'],
};
const NAMES = Object.keys(TESTS).join(', ');

/** What is wrong with a filter that was loaded, each with its place below `path`; a filter without a test takes everything. */
export function filterProblems(path: string, filter: unknown): readonly string[] {
  if (!isRecord(filter)) return [`${path}: expected a filter, { field: { equals: … } }`];
  return Object.entries(filter).flatMap(([field, test]) => {
    const at = `${path}.${field}`;
    if (!isRecord(test) || Object.keys(test).length === 0)
      return [`${at}: expected a test, one of ${NAMES}`];
    return Object.entries(test).flatMap(([name, value]) => {
      if (!Object.hasOwn(TESTS, name))
        return [`${at}.${name}: there is no such test; expected one of ${NAMES}`];
      const [holds, expected] = TESTS[name as keyof Test];
      return holds(value) ? [] : [`${at}.${name}: expected ${expected}`];
    });
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
