import mongoose, { type mongo } from 'mongoose';
import {
  type Condition,
  conditionsOf,
  type Filter,
  type Path,
  type Scalar,
  type Test,
} from '@tidegate/migration';

const { Long } = mongoose.mongo;
type Query = mongo.Document;

/** A path compares with the items of a list as well, and goes on through them: what is behind a list is absent here. */
export const NO_LIST = { $not: { $type: 'array' } } as const;
const LIST = { $type: 'array' } as const;
/** Without Decimal128, which no filter compares with; FerretDB 1.24 has no name for it. */
const NUMBERS = ['int', 'long', 'double'] as const;

/** Means what `matches` of libs/migration means; held to it by the contract suite. */
export const queryOf = (filters: readonly Filter[]): Query =>
  allOf(filters.flatMap(conditionsOf).flatMap(condition));

const allOf = (queries: readonly Query[]): Query => {
  const [only] = queries;
  return queries.length > 1 ? { $and: queries } : (only ?? {});
};

const condition = (each: Condition): readonly Query[] =>
  'anyOf' in each
    ? [{ $or: each.anyOf.map((conditions) => allOf(conditions.flatMap(condition))) }]
    : tests(each.path, each.test);

const ORDERINGS = { above: '$gt', atLeast: '$gte', below: '$lt', atMost: '$lte' } as const;

function tests(path: Path, test: Test): readonly Query[] {
  const queries: Query[] = [];
  if (test.equals !== undefined) queries.push(oneOf(path, [test.equals]));
  if (test.not !== undefined) queries.push({ $nor: [oneOf(path, [test.not])] });
  if (test.in !== undefined) queries.push(oneOf(path, test.in));
  if (test.exists !== undefined)
    queries.push(test.exists ? { $nor: [isNull(path)] } : isNull(path));
  for (const [name, operator] of Object.entries(ORDERINGS)) {
    const bound = test[name as keyof typeof ORDERINGS];
    if (bound !== undefined) queries.push(ordered(path, operator, bound));
  }
  return queries;
}

const outer = (path: Path): readonly string[] =>
  path.slice(1).map((_, index) => path.slice(0, index + 1).join('.'));

const isNull = (path: Path): Query => {
  const query = { [path.join('.')]: { $eq: null, ...NO_LIST } };
  const behind = outer(path).map((each) => ({ [each]: LIST }));
  return behind.length === 0 ? query : { $or: [...behind, query] };
};

const at = (path: Path, query: Query): Query => ({
  ...Object.fromEntries(outer(path).map((each) => [each, NO_LIST])),
  [path.join('.')]: { ...query, ...NO_LIST },
});

const ordered = (path: Path, operator: string, bound: string | number): Query =>
  at(path, {
    [operator]: bound,
    ...(typeof bound === 'number' ? { $type: NUMBERS } : {}),
  });

const NEVER = { $nor: [{}] };

function oneOf(path: Path, wanted: readonly Scalar[]): Query {
  const queries = [
    ...kindsOf(wanted).map(([$in, $type]) => at(path, { $in, $type })),
    ...(wanted.includes(null) ? [isNull(path)] : []),
  ];
  const [only] = queries;
  return queries.length > 1 ? { $or: queries } : (only ?? NEVER);
}

/** A number that is too large to be exact equals only what was read as one, and a large bigint only such an integer. */
function kindsOf(
  wanted: readonly Scalar[],
): readonly (readonly [readonly unknown[], readonly string[]])[] {
  const texts = wanted.filter((each) => typeof each === 'string');
  const numbers = wanted.flatMap((each): unknown[] => {
    if (typeof each === 'boolean') return [each, Number(each)];
    const number = typeof each === 'bigint' && isSmall(each) ? Number(each) : each;
    return typeof number === 'number' ? withBoolean(number) : [];
  });
  const [exact, large] = [numbers.filter(isExact), numbers.filter((each) => !isExact(each))];
  const integers = wanted.flatMap((each) =>
    typeof each === 'bigint' && !isSmall(each) && BigInt.asIntN(64, each) === each
      ? [Long.fromBigInt(each)]
      : [],
  );
  const kinds: readonly (readonly [readonly unknown[], readonly string[]])[] = [
    [texts, ['string']],
    [exact, [...NUMBERS, 'bool']],
    [large, ['double']],
    [integers, ['long']],
  ];
  return kinds.filter(([values]) => values.length > 0);
}

const isSmall = (value: bigint): boolean => BigInt.asIntN(53, value) === value;
const isExact = (value: unknown): boolean =>
  typeof value === 'boolean' || Math.abs(value as number) <= Number.MAX_SAFE_INTEGER;
const withBoolean = (value: number): unknown[] =>
  value === 0 || value === 1 ? [value, value === 1] : [value];
