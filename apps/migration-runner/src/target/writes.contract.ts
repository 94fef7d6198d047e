import { expect, it } from '@jest/globals';
import { editOf } from '@tidegate/migration';
import { all, bare, change, one, type TargetKind, things } from './world.contract.ts';

export function writesContract(kind: TargetKind): void {
  const { key } = kind;
  const thing = { a: 1, b: 'b', doc: { x: 1, y: { z: 2 }, list: [1] } };
  const open = (count = 3) => kind.open(things(kind, count, () => thing));

  it('writes what changed and nothing else', async () => {
    const world = await open();
    const edit = await change(kind, world, 1, { a: 100, b: null });
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['written']);
    expect(bare(await one(kind, world, 1))).toEqual({ [key]: 1, a: 100, doc: thing.doc });
    expect(bare(await one(kind, world, 2))).toEqual({ [key]: 2, ...thing });
  });

  it('takes an edit that changes nothing, if the document is as it was read', async () => {
    const world = await open();
    const edits = await Promise.all([1, 2].map((id) => change(kind, world, id, {})));
    await world.edit(2, ['a'], 5);
    expect(await world.write.write(all(kind, world), edits)).toEqual(['written', 'conflict']);
    expect(await world.write.write(all(kind, world), [])).toEqual([]);
  });

  it('writes below an object, and takes fields away there', async () => {
    const world = await open();
    const doc = { x: null, y: { z: 3, more: [1, { two: 2 }] }, list: [1] };
    const edit = await change(kind, world, 1, { doc });
    expect(edit.changes.every(({ path }) => path.length > 1)).toBe(true);
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['written']);
    expect(await one(kind, world, 1)).toMatchObject({ doc });
    const shorter = await change(kind, world, 1, { doc: { y: {}, list: [] } });
    expect(await world.write.write(all(kind, world), [shorter])).toEqual(['written']);
    expect((await one(kind, world, 1))['doc']).toEqual({ y: {}, list: [] });
  });

  it('never overwrites what somebody edited since it was read, in whichever field', async () => {
    const world = await open();
    const edit = await change(kind, world, 1, { a: 100 });
    await world.edit(1, ['doc', 'y', 'z'], 'edited');
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['conflict']);
    expect(await one(kind, world, 1)).toMatchObject({ a: 1, doc: { y: { z: 'edited' } } });
  });

  it('compares only what was read and changed, where the migration names it', async () => {
    const world = await open();
    const edits = await Promise.all(
      [1, 2, 3].map((id) => change(kind, world, id, { a: 100 }, [['doc', 'x']])),
    );
    await world.edit(1, ['b'], 'edited');
    await world.edit(1, ['doc', 'y', 'z'], 'edited');
    await world.edit(2, ['doc', 'x'], 'edited');
    await world.edit(3, ['a'], 2);
    const results = await world.write.write(all(kind, world), edits);
    expect(results).toEqual(['written', 'conflict', 'conflict']);
    expect(await one(kind, world, 1)).toMatchObject({
      a: 100,
      b: 'edited',
      doc: { x: 1, y: { z: 'edited' } },
    });
    expect(await one(kind, world, 2)).toMatchObject({ a: 1, doc: { x: 'edited' } });
    expect(await one(kind, world, 3)).toMatchObject({ a: 2 });
  });

  it('names a field below an object by whatever letters it has', async () => {
    const names = [
      'a\\b',
      'a"b',
      '"',
      '\\',
      '\\"',
      '\\u0041',
      "a'b",
      'a\nb',
      'a[0]',
      '{a,b}',
      'NULL',
      'ž 🐎',
    ];
    const doc = Object.fromEntries(names.map((name) => [name, { x: 1 }]));
    const world = await kind.open(things(kind, 3, () => ({ a: 1, doc })));
    const selection = all(kind, world);
    const first = await one(kind, world, 1);
    for (const name of names) {
      const other = await change(kind, world, 2, { a: 2 }, [['doc', name]]);
      const set = await change(kind, world, 1, { doc: { ...doc, [name]: { x: 1, [name]: 2 } } });
      expect([name, await world.write.write(selection, [set, other])]).toEqual([
        name,
        ['written', 'written'],
      ]);
      const found = all(kind, world, [{ [`doc.${name}.${name}`]: { equals: 2 } }]);
      expect([name, await world.read.count(found)]).toEqual([name, 1]);
      expect(await one(kind, world, 1)).toEqual(set.after);
      const back = await change(kind, world, 1, { doc });
      expect([name, await world.write.write(selection, [back])]).toEqual([name, ['written']]);
      expect(await one(kind, world, 1)).toEqual(first);
    }
  });

  it('keeps what somebody edited beside a nested change', async () => {
    const world = await open();
    const doc = { ...thing.doc, y: { z: 2, w: 3 } };
    const edit = await change(kind, world, 1, { doc }, []);
    await world.edit(1, ['doc', 'y', 'z'], 'edited');
    await world.edit(1, ['doc', 'added'], true);
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['written']);
    expect((await one(kind, world, 1))['doc']).toEqual({
      ...doc,
      y: { z: 'edited', w: 3 },
      added: true,
    });
  });

  it('takes it for a conflict when the object around a nested change is gone', async () => {
    for (const instead of [undefined, null, [1], 'text']) {
      const world = await open(1);
      const edit = await change(kind, world, 1, { doc: { ...thing.doc, y: { z: 2, w: 3 } } }, []);
      await world.edit(1, ['doc', 'y'], instead);
      expect(await world.write.write(all(kind, world), [edit])).toEqual(['conflict']);
      const doc = (await one(kind, world, 1))['doc'] as { y?: unknown };
      expect(doc.y).toEqual(instead);
    }
  });

  it('tells null from absent below an object, and not for a field', async () => {
    const world = await open();
    const below = await change(kind, world, 1, { a: 100 }, [['doc', 'none']]);
    await world.edit(1, ['doc', 'none'], null);
    expect(await world.write.write(all(kind, world), [below])).toEqual(['conflict']);
    const before = { ...(await one(kind, world, 2)), f: undefined, big: null };
    const edit = editOf(before, { ...before, a: 100 });
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['written']);
  });

  it('does not bring back what was deleted since it was read', async () => {
    const world = await open();
    const edit = await change(kind, world, 1, { a: 100 });
    await world.remove(1);
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['conflict']);
    expect(await world.read.find(all(kind, world), [1])).toEqual([]);
  });

  it('writes no document twice', async () => {
    const world = await open();
    const edit = await change(kind, world, 1, { a: 100 });
    await world.write.write(all(kind, world), [edit]);
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['conflict']);
  });

  it('writes a thousand in one batch and tells of each how it went', async () => {
    const world = await kind.open(things(kind, 1_000, () => thing));
    const rows = await world.read.page(all(kind, world), undefined, 1_000);
    const edits = rows.map((row, index) => editOf(row, { ...row, [index % 2 ? 'a' : 'b']: null }));
    for (const id of [10, 500, 999]) await world.edit(id, ['a'], 7);
    const results = await world.write.write(all(kind, world), edits);
    const conflicts = results.flatMap((each, index) => (each === 'conflict' ? [index + 1] : []));
    expect(conflicts).toEqual([10, 500, 999]);
    expect(results.filter((each) => each === 'written')).toHaveLength(997);
    expect(await world.read.count(all(kind, world, [{ a: { equals: null } }]))).toBe(498);
    expect(await world.read.count(all(kind, world, [{ b: { equals: null } }]))).toBe(499);
  });

  if (kind.columnType !== undefined)
    it('names the field that the table has no column for, and writes nothing', async () => {
      const world = await open();
      const edits = [
        await change(kind, world, 1, { a: 100 }),
        await change(kind, world, 2, { nosuch: 1 }),
      ];
      await expect(world.write.write(all(kind, world), edits)).rejects.toMatchObject({
        code: 'MIGRATION_TARGET_FAILED',
        message: expect.stringContaining('no column nosuch; it has id, a, '),
      });
      expect(await one(kind, world, 1)).toMatchObject({ a: 1 });
    });

  it('writes what it can when the database refuses a document, and tells why', async () => {
    const world = await kind.open(things(kind, 7, (id) => ({ ...thing, u: `u${id}` })));
    const rows = await world.read.page(all(kind, world), undefined, 6);
    const edits = rows.map((row, index) =>
      editOf(row, { ...row, a: 9, u: index === 2 ? 'u7' : `v${index}` }),
    );
    const results = await world.write.write(all(kind, world), edits);
    expect(results.filter((each) => each === 'written')).toHaveLength(5);
    expect(results[2]).toEqual({ refused: expect.stringMatching(/u/i) });
    expect(await one(kind, world, 3)).toMatchObject({ a: 1, u: 'u3' });
    expect(await one(kind, world, 2)).toMatchObject({ a: 9, u: 'v1' });
  });

  it('keeps every kind of value that was written', async () => {
    const world = await open();
    const fields = {
      a: -0.1,
      b: 'ž🐎\'"\\',
      big: 2n ** 62n + 3n,
      at: kind.date('1899-12-31T23:59:59.001Z'),
      doc: {
        'with space': {
          n: 1e21,
          list: kind.nestsLists === false ? [null] : [[], [null]],
          'quo"te': 'x',
        },
        not: false,
      },
    };
    const edit = await change(kind, world, 1, fields);
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['written']);
    expect(await one(kind, world, 1)).toMatchObject(fields);
    const again = await change(kind, world, 1, { a: 2 });
    expect(await world.write.write(all(kind, world), [again])).toEqual(['written']);
  });

  it('leaves values alone that were there, NaN and large integers in objects as well', async () => {
    const world = await open();
    if (kind.keepsNaN) await world.edit(1, ['f'], Number.NaN);
    await world.edit(1, ['big'], 2n ** 61n + 1n);
    await world.edit(1, ['doc', 'x'], 2n ** 61n + 1n);
    const before = await one(kind, world, 1);
    const edit = await change(kind, world, 1, { a: 100 });
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['written']);
    expect(await one(kind, world, 1)).toEqual({ ...before, a: 100 });
    const doc = before['doc'] as object;
    const nested = await change(kind, world, 1, { doc: { ...doc, added: 1 } });
    expect(await world.write.write(all(kind, world), [nested])).toEqual(['written']);
    expect(await one(kind, world, 1)).toEqual({ ...before, a: 100, doc: { ...doc, added: 1 } });
    expect((doc as { x: unknown }).x).toBe(2n ** 61n + 1n);
  });

  it('writes huge documents', async () => {
    const world = await open();
    const text = 'ž'.repeat(kind.hugeBytes / 2);
    const edit = await change(kind, world, 1, { b: text });
    expect(await world.write.write(all(kind, world), [edit])).toEqual(['written']);
    expect((await one(kind, world, 1))['b']).toBe(text);
    const again = await change(kind, world, 1, { b: 'short' });
    expect(await world.write.write(all(kind, world), [again])).toEqual(['written']);
  });

  it('cannot write through a connection for reading', async () => {
    const world = await open();
    const edit = await change(kind, world, 1, { a: 100 });
    await expect(world.read.write(all(kind, world), [edit])).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
    });
    expect(await one(kind, world, 1)).toEqual(edit.before);
  });

  it('lets no two writers win over one document', async () => {
    const world = await kind.open(things(kind, 40, () => ({ a: 0 })));
    const rows = await world.read.page(all(kind, world), undefined, 40);
    const claims = await Promise.all(
      [1, 2, 3, 4].map((a) =>
        world.write.write(
          all(kind, world),
          rows.map((row) => editOf(row, { ...row, a })),
        ),
      ),
    );
    for (const [index, row] of rows.entries()) {
      const winners = claims.flatMap((each, who) => (each[index] === 'written' ? [who + 1] : []));
      expect(winners).toHaveLength(1);
      expect(await one(kind, world, row[key] as number)).toMatchObject({ a: winners[0] });
    }
  });
}
