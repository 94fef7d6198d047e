import { describe, expect, it } from '@jest/globals';
import { all, allPages, bare, one, type TargetKind, things } from './world.contract.ts';

export function documentsContract(kind: TargetKind): void {
  const { key } = kind;

  it('pages in order of the key, without skipping or repeating', async () => {
    const world = await kind.open([...things(kind, 25)].reverse());
    const seen = (await allPages(kind, world, 7)).map((row) => row[key]);
    expect(seen).toEqual(things(kind, 25).map((row) => row[key]));
  });

  describe.each(Object.entries(kind.keys))('with keys that are %s', (name, ids) => {
    it('goes through all of them once, whatever the size of a page', async () => {
      const world = await kind.open(
        ids.map((id) => ({ [key]: id })),
        name,
      );
      const keys = (rows: readonly object[]) =>
        rows.map((row) => world.read.keyOf(all(kind, world), row as never));
      const inOrder = keys(await allPages(kind, world, 100));
      expect(new Set(inOrder).size).toBe(ids.length);
      for (const limit of [1, 2, 3]) {
        expect(keys(await allPages(kind, world, limit))).toEqual(inOrder);
      }
    });

    it('finds each by its key, also after the key was kept as JSON', async () => {
      const world = await kind.open(
        ids.map((id) => ({ [key]: id })),
        name,
      );
      const selection = all(kind, world);
      const rows = await allPages(kind, world, 100);
      const keys = rows.map((row) => world.read.keyOf(selection, row));
      const kept = JSON.parse(JSON.stringify(keys)) as typeof keys;
      expect(kept).toEqual(keys);
      expect(await world.read.find(selection, kept)).toEqual(rows);
    });
  });

  it('finds by key what the selection still takes, in the order asked for', async () => {
    const world = await kind.open(things(kind, 12, (id) => ({ a: id % 3 === 1 ? null : id })));
    await world.edit(4, ['a'], 7);
    await world.remove(7);
    const found = await world.read.find(
      all(kind, world, [{ a: { equals: null } }]),
      [10, 1, 4, 7, 99],
    );
    expect(found.map((row) => row[key])).toEqual([10, 1]);
  });

  it('has no rows of an empty collection, and finds none for no keys', async () => {
    const world = await kind.open([]);
    expect(await world.read.count(all(kind, world))).toBe(0);
    expect(await world.read.page(all(kind, world), undefined, 10)).toEqual([]);
    expect(await world.read.find(all(kind, world), [])).toEqual([]);
  });

  it('reads what is there: large integers, dates before 1970, text of any script, objects', async () => {
    const thing = {
      [key]: 1,
      a: 0.1,
      b: 'žluťoučký 🐎 \' " \\ $ {}',
      f: -1e300,
      big: 2n ** 62n + 1n,
      at: kind.date('1901-02-03T04:05:06.789Z'),
      doc: { list: [1, 'two', null, { three: [] }], text: '', not: false, zero: 0 },
    };
    const world = await kind.open([thing]);
    expect(bare(await one(kind, world, 1))).toEqual(thing);
  });

  it('packs documents and unpacks them as they were', async () => {
    const world = await kind.open(
      things(kind, 3, (id) => ({
        a: id / 10,
        b: id === 2 ? null : `t${id}`,
        big: 2n ** 61n + BigInt(id),
        at: kind.date('1969-12-31T23:59:59.999Z'),
        doc: { list: [id, null, { x: 'y' }], huge: 'z'.repeat(100_000) },
        ...(kind.keepsNaN ? { f: Number.NaN } : {}),
      })),
    );
    const rows = await allPages(kind, world, 10);
    const bytes = world.read.pack(rows);
    expect(world.read.unpack(bytes)).toEqual(rows);
    expect(world.read.unpack(Uint8Array.from(bytes))).toEqual(rows);
  });

  it('names the server, how documents are read, and how the database is', async () => {
    const world = await kind.open(things(kind, 3));
    expect(await world.read.server()).toMatch(/\w+ .*\d/);
    expect(await world.write.server()).toBe(await world.read.server());
    const filter = { a: { equals: null } };
    const { detail, index } = await world.read.readBy(all(kind, world, [filter]));
    expect(detail).not.toBe('');
    expect(index).toBeUndefined();
    expect((await world.read.health()).detail.length).toBeGreaterThan(0);
  });
}
