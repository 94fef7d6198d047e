import { expect, it } from '@jest/globals';
import type { Index, SchemaMigration } from '@tidegate/migration';
import { all, type TargetKind, type TargetWorld, things } from './world.contract.ts';

export function schemaContract(kind: TargetKind): void {
  const migration = (
    { collection }: TargetWorld,
    parts: Pick<SchemaMigration, 'columns' | 'indexes' | 'validators'>,
  ): SchemaMigration => ({
    id: 'things-schema',
    target: 't',
    phase: 'schema',
    collection,
    ...parts,
  });
  const byA = { name: 'things_by_a', fields: { a: 1, 'doc.x': -1 } } as const;

  it('builds indexes, says when nothing is missing, and takes them away again', async () => {
    const world = await kind.open(things(kind, 50, (id) => ({ a: id, doc: { x: id } })));
    const wanted = migration(world, { indexes: [byA] });
    expect(await world.read.schema.missing(wanted)).toEqual([expect.stringContaining(byA.name)]);
    await world.write.schema.ensure(wanted);
    expect(await world.read.schema.missing(wanted)).toEqual([]);
    await world.write.schema.ensure(wanted);
    expect(await world.read.schema.missing(wanted)).toEqual([]);
    await world.write.schema.drop(wanted);
    expect(await world.read.schema.missing(wanted)).toHaveLength(1);
    await world.write.schema.drop(wanted);
  });

  it('takes away only what it has built, not what a program or another migration had there', async () => {
    const world = await kind.open(things(kind, 3));
    const [program, other, own] = (['a', 'b', 'f'] as const).map((field) => ({
      name: `things_own_${field}`,
      fields: { [field]: 1 },
    })) as [Index, Index, Index];
    await world.index(program.name, 'a');
    await world.write.schema.ensure({ ...migration(world, { indexes: [other] }), id: 'earlier' });
    const wanted = migration(world, { indexes: [program, other, own] });
    expect(await world.read.schema.missing(wanted)).toEqual([expect.stringContaining(own.name)]);
    await world.write.schema.ensure(wanted);
    await world.write.schema.ensure(wanted);
    await world.write.schema.drop(wanted);
    expect(await world.read.schema.missing(wanted)).toEqual([expect.stringContaining(own.name)]);
    await world.index(own.name, 'f');
    await world.write.schema.drop(wanted);
    expect(await world.read.schema.missing(wanted)).toEqual([]);
  });

  it('names the index that pending documents are found by', async () => {
    const world = await kind.open(things(kind, 200, (id) => ({ a: id === 7 ? null : id })));
    const index = { name: 'things_pending', fields: { a: 1 } } as const;
    await world.write.schema.ensure(migration(world, { indexes: [index] }));
    const selection = all(kind, world, [{ a: { equals: null } }]);
    expect(await world.read.readBy(selection)).toMatchObject({ index: index.name });
  });

  it('refuses an index that is there but different, and leaves it', async () => {
    const world = await kind.open(things(kind, 3));
    await world.write.schema.ensure(migration(world, { indexes: [byA] }));
    const other = migration(world, { indexes: [{ ...byA, fields: { b: 1 } }] });
    const missing = await world.read.schema.missing(other);
    expect(missing).toEqual([expect.stringMatching(/things_by_a.*different/)]);
    await expect(world.write.schema.ensure(other)).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
      message: expect.stringContaining(byA.name),
    });
    expect(await world.read.schema.missing(migration(world, { indexes: [byA] }))).toEqual([]);
  });

  it('refuses a unique index over what is there twice, and can try again', async () => {
    const world = await kind.open(things(kind, 3, () => ({ b: 'same' })));
    const unique = { name: 'things_unique', fields: { b: 1 }, unique: true } as const;
    const wanted = migration(world, { indexes: [unique] });
    await expect(world.write.schema.ensure(wanted)).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
    });
    expect(await world.read.schema.missing(wanted)).toHaveLength(1);
    await world.edit(1, ['b'], 'one');
    await world.edit(2, ['b'], 'two');
    await world.write.schema.ensure(wanted);
    expect(await world.read.schema.missing(wanted)).toEqual([]);
  });

  it('cannot build through a connection for reading', async () => {
    const world = await kind.open(things(kind, 3));
    const wanted = migration(world, { indexes: [byA] });
    await expect(world.read.schema.ensure(wanted)).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
    });
    expect(await world.read.schema.missing(wanted)).toHaveLength(1);
  });

  const { columnType } = kind;
  if (columnType === undefined)
    it('says that it has no columns', async () => {
      const world = await kind.open(things(kind, 1));
      const wanted = migration(world, { columns: [{ name: 'extra', type: 'text' }] });
      await expect(world.write.schema.ensure(wanted)).rejects.toMatchObject({
        code: 'MIGRATION_TARGET_UNSUPPORTED',
      });
    });
  else
    it('adds columns, and takes away only those that it has added', async () => {
      const world = await kind.open(things(kind, 3));
      const added = { name: 'extra', type: columnType };
      const wanted = migration(world, { columns: [added, { name: 'b', type: columnType }] });
      expect(await world.read.schema.missing(wanted)).toEqual([expect.stringContaining('extra')]);
      await world.write.schema.ensure(wanted);
      await world.write.schema.ensure(wanted);
      expect(await world.read.schema.missing(wanted)).toEqual([]);
      await world.edit(1, ['extra'], 'value');
      await world.write.schema.drop(wanted);
      const [row] = await world.read.page(all(kind, world), undefined, 1);
      expect(Object.keys(row ?? {})).toContain('b');
      expect(Object.keys(row ?? {})).not.toContain('extra');
    });

  const rule = { a: { atLeast: 0 }, 'doc.x': { exists: true } } as const;
  const validators = [{ name: 'things_valid', rule }];
  if (kind.hasValidators)
    it('holds documents to a rule from then on, and not those that are there', async () => {
      const world = await kind.open(things(kind, 2, () => ({ a: -1 })));
      const wanted = migration(world, { validators });
      expect(await world.read.schema.missing(wanted)).toEqual([
        expect.stringContaining('things_valid'),
      ]);
      await world.write.schema.ensure(wanted);
      await world.write.schema.ensure(wanted);
      expect(await world.read.schema.missing(wanted)).toEqual([]);
      expect(await world.read.count(all(kind, world))).toBe(2);
      await expect(world.insert({ [kind.key]: 3, a: -1, doc: { x: 1 } })).rejects.toThrow(
        /things_valid|validation/,
      );
      await expect(world.insert({ [kind.key]: 4, a: null, doc: { x: 1 } })).rejects.toThrow(
        /things_valid|validation/,
      );
      await expect(world.insert({ [kind.key]: 5, a: 1, doc: {} })).rejects.toThrow(
        /things_valid|validation/,
      );
      await world.insert({ [kind.key]: 6, a: 1, doc: { x: 1 } });
      const other = migration(world, {
        validators: [{ name: 'things_valid', rule: { a: { above: 5 } } }],
      });
      expect(await world.read.schema.missing(other)).toEqual([
        expect.stringMatching(/things_valid.*different/),
      ]);
      await world.write.schema.drop(wanted);
      await world.insert({ [kind.key]: 7, a: -1 });
    });
  else
    it('says that the server takes no rules', async () => {
      const world = await kind.open(things(kind, 1));
      await expect(
        world.write.schema.ensure(migration(world, { validators })),
      ).rejects.toMatchObject({ code: 'MIGRATION_TARGET_UNSUPPORTED' });
    });
}
