/** A value that every target can compare. Absent and null are the same. */
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

export const filterFields = (filter: Filter): readonly string[] => Object.keys(filter);

const same = (a: unknown, b: Scalar): boolean => (a ?? null) === b;

const ordered = (
  value: unknown,
  bound: number | string | undefined,
  holds: (sign: number) => boolean,
): boolean => {
  if (bound === undefined) return true;
  if (typeof value !== typeof bound) return false;
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
