import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { editOf, type Filter, matches, type Row } from '@tidegate/migration';
import type { Selection, Target } from './target.port.ts';

/** What a spec needs of a database: a table `things(id, a, b)` with these rows, and both kinds of connection. */
export interface TargetWorld {
  write: Target;
  read: Target;
  edit(id: number, field: 'a' | 'b', value: number | string | null): void;
  remove(id: number): void;
}

const all = (filters: readonly Filter[] = []): Selection => ({
  collection: 'things',
  key: 'id',
  filters,
});

export function targetContract(open: (rows: readonly Row[]) => Promise<TargetWorld>): void {
  const rows: Row[] = Array.from({ length: 25 }, (_, index) => ({
    id: index + 1,
    a: index % 3 === 0 ? null : index,
    b: index % 2 === 0 ? `t${index}` : null,
  }));

  it('pages in order of the key, without skipping or repeating', async () => {
    const { read } = await open(rows);
    const seen: unknown[] = [];
    let after: number | undefined;
    for (;;) {
      const page = await read.page(all(), after, 7);
      if (page.length === 0) break;
      seen.push(...page.map(({ id }) => id));
      after = Number(page.at(-1)?.['id']);
    }
    expect(seen).toEqual(rows.map(({ id }) => id));
  });

  it('means by a filter what the migration library means', async () => {
    const { read } = await open(rows);
    const value = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.integer({ min: -1, max: 26 }),
      fc.constantFrom('t0', 't4', '', '4'),
    );
    const bound = fc.oneof(fc.integer({ min: -1, max: 26 }), fc.constantFrom('t0', 't4'));
    const test = fc.record(
      {
        equals: value,
        not: value,
        in: fc.array(value, { maxLength: 3 }),
        above: bound,
        atMost: bound,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('a', 'b'), test, async (field, each) => {
        const filter = { [field]: each } as Filter;
        const found = await read.page(all([filter]), undefined, 100);
        const expected = rows.filter((row) => matches(filter, row));
        expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        expect(await read.count(all([filter]))).toBe(expected.length);
      }),
    );
  });

  it('writes only the fields that differ', async () => {
    const { write, read } = await open(rows);
    const [before] = await read.page(all(), undefined, 1);
    const after = { ...before, a: 100 };
    expect(await write.write(all(), [editOf(before!, after)])).toEqual(['written']);
    expect(await read.find(all(), [1])).toEqual([after]);
  });

  it('never overwrites what somebody edited since it was read, in whichever field', async () => {
    const { write, read, edit } = await open(rows);
    const [before] = await read.page(all(), undefined, 1);
    edit(1, 'b', 'edited');
    const result = await write.write(all(), [editOf(before!, { ...before, a: 100 })]);
    expect(result).toEqual(['conflict']);
    expect(await read.find(all(), [1])).toMatchObject([{ a: null, b: 'edited' }]);
  });

  it('does not bring back what was deleted since it was read', async () => {
    const { write, read, remove } = await open(rows);
    const [before] = await read.page(all(), undefined, 1);
    remove(1);
    expect(await write.write(all(), [editOf(before!, { ...before, a: 1 })])).toEqual(['conflict']);
    expect(await read.find(all(), [1])).toEqual([]);
  });

  it('writes a batch whole or not at all', async () => {
    const { write, read } = await open(rows);
    const [first, second] = await read.page(all(), undefined, 2);
    const good = editOf(first!, { ...first, a: 100 });
    const bad = editOf(second!, { ...second, nowhere: 1 });
    await expect(write.write(all(), [good, bad])).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
    });
    expect(await read.find(all(), [1])).toEqual([first]);
  });

  it('finds by key what the selection still takes', async () => {
    const { read, edit, remove } = await open(rows);
    edit(4, 'a', 7);
    remove(7);
    const found = await read.find(all([{ a: { equals: null } }]), [1, 4, 7, 10]);
    expect(found.map(({ id }) => id)).toEqual([1, 10]);
  });

  it('cannot write through a connection for reading', async () => {
    const { read } = await open(rows);
    const [before] = await read.page(all(), undefined, 1);
    await expect(read.write(all(), [editOf(before!, { ...before, a: 1 })])).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
    });
  });

  it('says which table or field it does not have', async () => {
    const { read } = await open(rows);
    await expect(read.count({ ...all(), collection: 'nothings' })).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
      message: expect.stringContaining('nothings'),
    });
  });
}
