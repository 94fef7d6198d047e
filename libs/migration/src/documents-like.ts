import fc from 'fast-check';
import type { Row } from './path.ts';
import { isPlain, put } from './value.ts';

type Place = readonly (string | number)[];
/** What a value becomes; undefined takes it away. */
type Mutation = (old: unknown) => unknown;

const MAX_MUTATIONS = 3;

/** What programs leave behind that write differently today, wrote differently once, or were wrong. */
const oddities: readonly unknown[] = [
  undefined,
  null,
  '',
  'x',
  ' Ä\u{1f600} ',
  'x'.repeat(20_000),
  0,
  -1,
  0.1,
  1e300,
  2n ** 60n,
  Number.NaN,
  true,
  false,
  new Date(-1e12),
  [],
  ['x', 1, null],
  {},
  { x: 1 },
];

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.nat({ max: 1_000 }).map((n) => (old: unknown) => another(old, n)),
  fc.nat({ max: oddities.length - 1 }).map((n) => () => oddities[n]),
);

/** Another value of the same kind. */
function another(old: unknown, n: number): unknown {
  if (typeof old === 'number') return n % 2 === 0 ? n / 2 : -n / 10;
  if (typeof old === 'bigint') return BigInt(n);
  if (typeof old === 'string') return `${old}${n}`;
  if (typeof old === 'boolean') return !old;
  if (Array.isArray(old)) return n % 2 === 0 ? [...old, ...old] : old.slice(0, -1);
  return Object.prototype.toString.call(old) === '[object Date]'
    ? new Date((old as Date).getTime() - n * 86_400_000)
    : old;
}

/**
 * The samples with up to three places changed, also within lists: missing, null, of another type, too long, too large,
 * before 1970. Shrinks to fewer changes.
 */
export const documentsLike = (
  samples: readonly Row[],
  keys: readonly string[],
): fc.Arbitrary<Row> =>
  fc
    .tuple(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat({ max: 10_000 }), mutation), { maxLength: MAX_MUTATIONS }),
    )
    .map(([sample, mutations]) =>
      mutations.reduce<Row>((document, [pick, mutate]) => {
        const places = placesIn(document).filter(([name]) => !keys.includes(String(name)));
        const place = places[pick % Math.max(1, places.length)];
        return place ? (changed(document, place, mutate) as Row) : document;
      }, sample),
    );

/** All there is inside a value, outermost first. */
function placesIn(value: unknown): readonly Place[] {
  const inside: (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((each, index) => [index, each] as const)
    : isPlain(value)
      ? Object.entries(value)
      : [];
  return inside.flatMap(([name, each]) => [
    [name],
    ...placesIn(each).map((place) => [name, ...place]),
  ]);
}

function changed(value: unknown, [name, ...rest]: Place, mutate: Mutation): unknown {
  if (name === undefined) return mutate(value);
  if (Array.isArray(value))
    return value.flatMap((each: unknown, index) => {
      const next = index === name ? changed(each, rest, mutate) : each;
      return next === undefined ? [] : [next];
    });
  const copy: Record<string, unknown> = {};
  for (const [field, each] of Object.entries(value as Row)) {
    const next = field === name ? changed(each, rest, mutate) : each;
    if (next !== undefined) put(copy, field, next);
  }
  return copy;
}
