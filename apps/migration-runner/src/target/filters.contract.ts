import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Filter, matches, type Test } from '@tidegate/migration';
import { all, allPages, type TargetKind, things } from './world.contract.ts';

const SEED = 20_181;
const RUNS = 150;

const values = [null, true, false, -1, 0, 1, 2, 4, 0.5, 2n ** 60n, '', '4', 't0', 't4', 'é', '🐎'];
const value = fc.constantFrom(...values);
const bound = fc.constantFrom(-1, 0, 1, 2.5, 4, 2 ** 60, '', '4', 't0', 't4', 'é', '\uffee', '🐎');
const test = fc.record<Test>(
  {
    equals: value,
    not: value,
    in: fc.array(value, { maxLength: 3 }),
    exists: fc.boolean(),
    above: bound,
    atLeast: bound,
    below: bound,
    atMost: bound,
  },
  { requiredKeys: [] },
);
const path = fc.constantFrom('a', 'b', 'doc.x', 'doc.y', 'doc.in.ner', 'doc.0');
const tests = fc.dictionary(path, test, { minKeys: 1, maxKeys: 2 });
const filter = fc
  .record({ tests, anyOf: fc.option(fc.array(tests, { minLength: 1, maxLength: 3 })) })
  .map(({ tests: fields, anyOf }) => ({ ...fields, ...(anyOf ? { anyOf } : {}) }));

/** What can be found below `doc`. */
const docs = [
  null,
  {},
  ...values.map((x) => ({ x })),
  { x: 1, y: 't0' },
  { x: [1, 'a'], y: [] },
  { in: { ner: 1 } },
  { in: { ner: null } },
  { in: [{ ner: 1 }] },
  { in: 'ner' },
  { x: { ner: 1 }, '0': 'zero' },
  [1, 2],
  ['t0'],
];

export function filtersContract(kind: TargetKind): void {
  const rows = things(kind, 60, (id) => ({
    a: id % 3 === 0 ? null : [-1, 0, 1, 2, 4, 0.5][id % 6],
    b: [null, '', '4', 't0', 't4', 'é', '🐎', '\uffee'][id % 8],
    doc: docs[id % docs.length],
  }));

  it('means by a filter what the migration library means', async () => {
    const world = await kind.open(rows);
    const read = await allPages(kind, world, 100);
    await fc.assert(
      fc.asyncProperty(filter, async (each) => {
        const selection = all(kind, world, [each]);
        const expected = read.filter((row) => matches(each, row)).map((row) => row[kind.key]);
        const found = await world.read.page(selection, undefined, 100);
        expect(found.map((row) => row[kind.key])).toEqual(expected);
        expect(await world.read.count(selection)).toBe(expected.length);
      }),
      { seed: SEED, numRuns: RUNS },
    );
  });

  it('takes only what all filters take', async () => {
    const world = await kind.open(rows);
    const read = await allPages(kind, world, 100);
    const filters: Filter[] = [{ a: { exists: true } }, { a: { above: 0 } }, { b: { not: null } }];
    const expected = read.filter((row) => filters.every((each) => matches(each, row)));
    expect(await world.read.count(all(kind, world, filters))).toBe(expected.length);
    expect(expected.length).toBeGreaterThan(0);
  });

  it('takes long lists', async () => {
    const world = await kind.open(rows);
    const list = Array.from({ length: 3_000 }, (_, index) => index);
    const selection = all(kind, world, [{ a: { in: list } }]);
    expect(await world.read.count(selection)).toBe(
      rows.filter((row) => list.includes(row['a'] as number)).length,
    );
    expect(await world.read.find(selection, list)).not.toHaveLength(0);
  });
}
