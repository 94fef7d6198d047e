import {
  type Condition,
  conditionsOf,
  type Filter,
  type Path,
  type Scalar,
  type Test,
} from '@tidegate/migration';

export type Operator = '>' | '>=' | '<' | '<=';

/** How one kind of SQL says the tests of a filter. Each is TRUE or FALSE for every row, never NULL. */
export interface Terms {
  /** The value is one of these; a boolean is 1 or 0. */
  oneOf(path: Path, values: readonly (string | number | bigint)[]): string;
  isNull(path: Path): string;
  /** Text is compared with text by code point, numbers with numbers; false for all else. */
  ordered(path: Path, operator: Operator, bound: string | number): string;
}

/** Means what `matches` of libs/migration means; held to it by the contract suite. */
export const conditionOf = (filters: readonly Filter[], terms: Terms): string =>
  allOf(filters.flatMap(conditionsOf), terms);

const allOf = (conditions: readonly Condition[], terms: Terms): string =>
  conditions.map((each) => condition(each, terms)).join(' AND ') || 'TRUE';

const condition = (each: Condition, terms: Terms): string =>
  'anyOf' in each
    ? `(${each.anyOf.map((one) => `(${allOf(one, terms)})`).join(' OR ') || 'FALSE'})`
    : tests(each.path, each.test, terms).join(' AND ') || 'TRUE';

const orderings = { above: '>', atLeast: '>=', below: '<', atMost: '<=' } as const;

function tests(path: Path, test: Test, terms: Terms): readonly string[] {
  const parts: string[] = [];
  if (test.equals !== undefined) parts.push(oneOf(path, [test.equals], terms));
  if (test.not !== undefined) parts.push(`NOT ${oneOf(path, [test.not], terms)}`);
  if (test.in !== undefined) parts.push(oneOf(path, test.in, terms));
  if (test.exists !== undefined) parts.push(`${test.exists ? 'NOT ' : ''}(${terms.isNull(path)})`);
  for (const [name, operator] of Object.entries(orderings)) {
    const bound = test[name as keyof typeof orderings];
    if (bound !== undefined) parts.push(`(${terms.ordered(path, operator, bound)})`);
  }
  return parts;
}

function oneOf(path: Path, wanted: readonly Scalar[], terms: Terms): string {
  const values = wanted
    .filter((value) => value !== null)
    .map((value) => (typeof value === 'boolean' ? Number(value) : value));
  const parts = [
    ...(values.length > 0 ? [terms.oneOf(path, values)] : []),
    ...(wanted.includes(null) ? [terms.isNull(path)] : []),
  ];
  return `(${parts.map((part) => `(${part})`).join(' OR ') || 'FALSE'})`;
}
