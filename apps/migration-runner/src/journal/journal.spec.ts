import { createCipheriv } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { editOf, type Row } from '@tidegate/migration';
import type { Projection } from '@tidegate/store';
import { memoryStore } from '@tidegate/store/testing';
import { createJournals } from './journal.handler.ts';
import type { Keeping } from './journal.port.ts';
import { keptEdit } from './kept.ts';
import type { JournalRecord } from './record.handler.ts';

const clock = { now: () => 1_000 };
const packing = {
  pack: (rows: readonly Row[]) => serialize(rows),
  unpack: (bytes: Uint8Array) => deserialize(bytes) as Row[],
};
const world = (maxBytes = Infinity) => {
  const store = memoryStore({ clock });
  const records: Projection<JournalRecord> = store.projection('migration-journal');
  const open = (migration = 'm') =>
    createJournals(records, { clock, maxBytes }).open(migration, packing);
  return { store, records, open };
};

const incompressible = (bytes: number): string =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
    .update(Buffer.alloc(bytes))
    .toString('base64');

const rows = (from: number, note: string = 'n'): Row[] =>
  [from, from + 1].map((id) => ({ id, at: new Date(id), large: 2n ** 60n, note }));
const keeping = (batch: number, more: Partial<Keeping> = {}): Keeping => {
  const images = more.images ?? rows(batch * 2);
  const edits = images.map((row) =>
    keptEdit(Number(row['id']), editOf(row, { ...row, done: true })),
  );
  return {
    run: 'r',
    definitionHash: 'h',
    kind: 'execute',
    batch,
    fence: 1,
    edits,
    images,
    ...more,
  };
};

describe('the journal of a migration', () => {
  it('gives back what was kept, newest first, every type as it was, also to the next process', async () => {
    const { open } = world();
    const journal = open();
    expect(await journal.keep(keeping(1))).toBe(1);
    expect(await journal.keep(keeping(2))).toBe(2);
    const again = open();
    const [newest] = await again.below(Infinity);
    expect(newest).toMatchObject({ place: 2, run: 'r', batch: 2, images: rows(4) });
    expect(newest?.edits).toEqual(keeping(2).edits);
    expect(newest?.edits[0]?.shape).toEqual({ changed: [['done']] });
    expect(await again.below(2)).toMatchObject([{ place: 1 }]);
    expect(await again.below(1)).toEqual([]);
    expect(await again.keep(keeping(3))).toBe(3);
  });

  it('keeps migrations apart', async () => {
    const { open } = world();
    await open('a').keep(keeping(1));
    expect(await open('b').below(Infinity)).toEqual([]);
    expect(await open('b').top()).toBe(0);
  });

  it('keeps checksums alone where no images are wanted', async () => {
    const { open } = world();
    const { images: _none, ...without } = keeping(1);
    await open().keep(without);
    const [kept] = await open().below(Infinity);
    expect(kept?.edits).toHaveLength(2);
    expect(kept).not.toHaveProperty('images');
  });

  it('splits what is too large for one record of the store', async () => {
    const { open, records } = world();
    const noise = incompressible(3_500_000);
    await open().keep(keeping(1, { images: rows(1, noise).slice(1) }));
    expect((await records.read('m', { limit: 1 })).length).toBeGreaterThan(1);
    const [kept] = await open().below(Infinity);
    expect(kept?.images?.[0]?.['note'] === noise).toBe(true);
  });

  it('does not take for kept what lost a part when the store was lost', async () => {
    const { open, records } = world();
    await open().keep(keeping(1));
    const [entry] = await records.read('m', { limit: 1 });
    await records.append([
      { ...entry!, version: 2, key: 'r/1/2/0', record: { ...entry!.record, parts: 1 } as never },
    ]);
    expect(await open().below(Infinity)).toMatchObject([{ place: 1 }]);
    expect(await open().keep(keeping(2))).toBe(3);
  });

  it('shows both where two runners kept at the same place', async () => {
    const { open } = world();
    const [one, other] = [open(), open()];
    await Promise.all([one.top(), other.top()]);
    await one.keep(keeping(1));
    await other.keep(keeping(1, { fence: 2 }));
    expect(await open().below(Infinity)).toMatchObject([{ place: 1 }, { place: 1 }]);
  });

  it('gives each batch its own place, also when several are kept at once', async () => {
    const { open } = world();
    const journal = open();
    const places = await Promise.all([1, 2, 3].map((batch) => journal.keep(keeping(batch))));
    expect(places).toEqual([1, 2, 3]);
    expect((await open().below(3))[0]?.batch).toBe(2);
  });

  it('keeps the others apart also when one between them cannot be packed', async () => {
    const { open } = world();
    const journal = open();
    const unpackable = keeping(2, { images: [{ id: 4, at: () => 0 }] });
    const all = await Promise.allSettled(
      [keeping(1), unpackable, keeping(3)].map((each) => journal.keep(each)),
    );
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await open().below(Infinity)).map(({ batch }) => batch)).toEqual([3]);
    expect((await open().below(2)).map(({ batch }) => batch)).toEqual([1]);
  });

  it('counts what it keeps above a place, also where older is forgotten', async () => {
    const { open } = world();
    const journal = open();
    for (const batch of [1, 2, 3]) await journal.keep(keeping(batch));
    expect([await open().editsAbove(0), await open().editsAbove(2)]).toEqual([6, 2]);
    await journal.forget(1);
    expect([await open().editsAbove(0), await open().editsAbove(2)]).toEqual([4, 2]);
    expect(await world().open().editsAbove(0)).toBe(0);
  });

  it('gives edits alone to whoever does not need images', async () => {
    const { open } = world();
    await open().keep(keeping(1));
    const [kept] = await open().below(Infinity, 'edits');
    expect(kept?.edits).toHaveLength(2);
    expect(kept).not.toHaveProperty('images');
  });

  it('is bounded: what finds no room is not kept at all, until older is forgotten', async () => {
    const { open } = world(900);
    const journal = open();
    let kept = 0;
    while ((await journal.keep(keeping(kept + 1))) !== undefined) kept += 1;
    expect(kept).toBeGreaterThan(1);
    expect(await open().bytes()).toBeLessThanOrEqual(900);
    expect(await open().hasRoom()).toBe(false);
    expect((await open().below(Infinity))[0]?.batch).toBe(kept);
    await journal.forget(1);
    expect(await journal.keep(keeping(kept + 1))).toBe(kept + 1);
    expect(await open().bytes()).toBeLessThanOrEqual(900);
  });

  it('goes on after the last place when all of it was forgotten', async () => {
    const { open } = world();
    await open().keep(keeping(1));
    await open().keep(keeping(2));
    await open().mark({ kind: 'forgotten', run: 'c', place: 2 });
    await open().forget(2);
    expect(await open().bytes()).toBe(0);
    expect(await open().top()).toBe(2);
    expect(await open().keep(keeping(3))).toBe(3);
  });

  it('knows whether a backup lies below, and not one that was undone', async () => {
    const { open } = world();
    await open().keep(keeping(1, { kind: 'backup' }));
    await open().keep(keeping(2));
    expect((await open().below(Infinity))[0]?.hasBackupBelow).toBe(true);
    await open().mark({ kind: 'reverted', run: 'v', place: 2 });
    await open().keep(keeping(3));
    expect((await open().below(Infinity))[0]?.hasBackupBelow).toBe(false);
  });

  it('takes a mark once for each run', async () => {
    const { open } = world();
    await open().mark({ kind: 'reverting', run: 'v', place: 5 });
    await open().mark({ kind: 'reverting', run: 'v', place: 9 });
    expect(await open().marks()).toEqual([{ kind: 'reverting', run: 'v', place: 5 }]);
  });
});
