import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import { editOf, type Filter } from '@tidegate/migration';
import { targetContract } from './target.contract.ts';
import type { Key, Selection } from './target.port.ts';
import { openSqliteTarget } from './target.sqlite.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0).reverse()) each();
});

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'tidegate-target-'));
  cleanUp.push(() => rmSync(path, { recursive: true }));
  return path;
};

describe('an SQLite target', () => {
  targetContract(async (rows) => {
    const file = join(folder(), 'things.db');
    const database = new DatabaseSync(file);
    cleanUp.push(() => database.close());
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE things (id INTEGER PRIMARY KEY, a, b)');
    const insert = database.prepare('INSERT INTO things VALUES (?, ?, ?)');
    for (const { id, a, b } of rows) insert.run(id as number, a as number, b as string);
    const write = openSqliteTarget(file, 'write');
    const read = openSqliteTarget(file, 'read');
    cleanUp.push(() => void write.close());
    cleanUp.push(() => void read.close());
    return {
      write,
      read,
      edit: (id, field, value) => {
        database.prepare(`UPDATE things SET ${field} = ? WHERE id = ?`).run(value, id);
      },
      remove: (id) => {
        database.prepare('DELETE FROM things WHERE id = ?').run(id);
      },
    };
  });

  /** A database with this table, and a connection that may write. */
  const opened = (schema: string) => {
    const file = join(folder(), 'things.db');
    const database = new DatabaseSync(file);
    cleanUp.push(() => database.close());
    database.exec(schema);
    const target = openSqliteTarget(file, 'write');
    cleanUp.push(() => void target.close());
    return { database, target };
  };
  const things: Selection = { collection: 'things', key: 'id', filters: [] };

  it.each(['read', 'write'] as const)('does not make a file to %s that is not there', (access) => {
    const file = join(folder(), 'missing.db');
    expect(() => openSqliteTarget(file, access)).toThrow(
      expect.objectContaining({ code: 'MIGRATION_TARGET_UNREACHABLE' }),
    );
    expect(existsSync(file)).toBe(false);
  });

  it('keeps integers as integers and dates as ISO text, whatever the column says', async () => {
    const { database, target } = opened(
      'CREATE TABLE things (id INTEGER PRIMARY KEY, t TEXT, n, d, o, yes); INSERT INTO things (id) VALUES (1)',
    );
    const [before] = await target.page(things, undefined, 1);
    const after = { ...before, t: 5, n: 7, d: new Date(0), o: { x: [1] }, yes: true };
    expect(await target.write(things, [editOf(before!, after)])).toEqual(['written']);
    const kept = database.prepare('SELECT t, n, typeof(n) AS type, d, o, yes FROM things').get();
    expect({ ...kept }).toEqual({
      t: '5',
      n: 7,
      type: 'integer',
      d: '1970-01-01T00:00:00.000Z',
      o: '{"x":[1]}',
      yes: 1,
    });
  });

  it('reads and writes integers beyond 2^53, also as keys', async () => {
    const { database, target } = opened('CREATE TABLE things (id INTEGER PRIMARY KEY, a)');
    const first = 2n ** 53n - 2n;
    const insert = database.prepare('INSERT INTO things (id) VALUES (?)');
    for (let id = first; id < first + 8n; id += 1n) insert.run(id);
    const seen: unknown[] = [];
    let after: Key | undefined;
    for (;;) {
      const rows = await target.page(things, after, 3);
      if (rows.length === 0) break;
      seen.push(...rows.map(({ id }) => BigInt(id as number)));
      after = target.keyOf(things, rows.at(-1)!);
    }
    expect(seen).toEqual(Array.from({ length: 8 }, (_, index) => first + BigInt(index)));
    const [last] = await target.find(things, [`$int:${first + 7n}`]);
    const write = editOf(last!, { ...last, a: 2n ** 60n });
    expect(await target.write(things, [write])).toEqual(['written']);
    expect(await target.find(things, [`$int:${first + 7n}`])).toEqual([
      { id: first + 7n, a: 2n ** 60n },
    ]);
  });

  it('compares text with text and numbers with numbers, whatever the column says', async () => {
    const { target } = opened(
      `CREATE TABLE things (id INTEGER PRIMARY KEY, t TEXT, n INTEGER); INSERT INTO things VALUES (1, '5', 5)`,
    );
    const count = (filter: Filter) => target.count({ ...things, filters: [filter] });
    expect(await count({ t: { equals: '5' }, n: { equals: 5 } })).toBe(1);
    expect(await count({ t: { equals: 5 } })).toBe(0);
    expect(await count({ n: { in: ['5'] } })).toBe(0);
    expect(await count({ t: { not: 5 }, n: { not: '5' } })).toBe(1);
  });

  it('takes as many columns as a table can have, and long lists', async () => {
    const columns = Array.from({ length: 1_900 }, (_, index) => `c${index}`);
    const { target } = opened(
      `CREATE TABLE things (id INTEGER PRIMARY KEY, ${columns.join(', ')}); INSERT INTO things (id) VALUES (1)`,
    );
    const [before] = await target.page(things, undefined, 1);
    const write = editOf(before!, { ...before, c0: 1 });
    expect(await target.write(things, [write])).toEqual(['written']);
    const list = Array.from({ length: 3_000 }, (_, index) => index);
    expect(await target.count({ ...things, filters: [{ c0: { in: list } }] })).toBe(1);
    expect(await target.find(things, [...list, ...list.map((each) => `k${each}`)])).toHaveLength(1);
  });

  it('tells written from edited also where the key is not unique', async () => {
    const { target } = opened(
      'CREATE TABLE things (id, a); INSERT INTO things (id) VALUES (1), (1)',
    );
    const [before] = await target.page(things, undefined, 1);
    const write = editOf(before!, { ...before, a: 1 });
    expect(await target.write(things, [write, write])).toEqual(['written', 'conflict']);
  });

  it('names the index that the pending documents are found by', async () => {
    const file = join(folder(), 'indexed.db');
    const database = new DatabaseSync(file);
    cleanUp.push(() => database.close());
    database.exec(
      'CREATE TABLE things (id INTEGER PRIMARY KEY, a); CREATE INDEX by_a ON things (a)',
    );
    const target = openSqliteTarget(file, 'read');
    cleanUp.push(() => void target.close());
    const selection = { collection: 'things', key: 'id', filters: [{ a: { equals: null } }] };
    expect(await target.readBy(selection)).toMatchObject({ index: 'by_a' });
  });
});
