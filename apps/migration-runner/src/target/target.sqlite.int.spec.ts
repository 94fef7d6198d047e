import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import { editOf, type Filter, type Row } from '@tidegate/migration';
import { targetContract } from './target.contract.ts';
import type { Selection } from './target.port.ts';
import { openSqliteTarget } from './target.sqlite.ts';
import type { TargetKind } from './world.contract.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0).reverse()) each();
});

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'tidegate-target-'));
  cleanUp.push(() => rmSync(path, { recursive: true }));
  return path;
};

/** A database with this table, for reading and writing. */
const opened = (schema: string) => {
  const file = join(folder(), 'things.db');
  const database = new DatabaseSync(file);
  cleanUp.push(() => database.close());
  database.exec(`PRAGMA journal_mode = WAL; ${schema}`);
  const write = openSqliteTarget(file, 'write');
  const read = openSqliteTarget(file, 'read');
  cleanUp.push(() => void Promise.all([write.close(), read.close()]));
  return { database, write, read, file };
};

const COLUMNS = ['id', 'a', 'b', 'f', 'big', 'at', 'u', 'doc'] as const;
const kept = (value: unknown): SQLInputValue =>
  (typeof value === 'object' && value !== null ? json(value) : (value ?? null)) as SQLInputValue;
/** As another program would write it. */
const json = (value: unknown): string =>
  JSON.stringify(value, (_name, each: unknown) =>
    typeof each === 'bigint' ? `#${each}` : each,
  ).replaceAll(/"#(\d+)"/g, '$1');

const sqlite: TargetKind = {
  key: 'id',
  keys: {
    default: [3, 1, 2, 10, -5],
    mixed: [
      5,
      -1,
      2n ** 53n + 1n,
      2n ** 53n,
      -(2n ** 60n),
      0.5,
      'text',
      '$odd',
      '$int:7',
      '5',
      '',
      '🐎',
    ],
  },
  date: (iso) => iso,
  keepsNaN: false,
  hugeBytes: 8_000_000,
  columnType: 'TEXT',
  hasValidators: true,
  open: async (rows, keys = 'default') => {
    const type = keys === 'default' ? 'INTEGER PRIMARY KEY' : 'PRIMARY KEY';
    const { database, ...targets } = opened(
      `CREATE TABLE things (id ${type}, a, b TEXT, f REAL, big INTEGER, at TEXT, u TEXT UNIQUE, doc JSON)`,
    );
    const insert = (row: Row): void => {
      database
        .prepare(`INSERT INTO things VALUES (${COLUMNS.map(() => '?').join(', ')})`)
        .run(...COLUMNS.map((name) => kept(row[name])));
    };
    for (const row of rows) insert(row);
    return {
      ...targets,
      collection: 'things',
      edit: async (id, [name = '', ...inner], value) => {
        const place = `$${inner.map((each) => `."${each}"`).join('')}`;
        const sql =
          inner.length === 0
            ? `"${name}" = ?`
            : value === undefined
              ? `"${name}" = json_remove("${name}", '${place}')`
              : `"${name}" = json_set("${name}", '${place}', json(?))`;
        const values =
          inner.length === 0 ? [kept(value)] : value === undefined ? [] : [json(value)];
        database
          .prepare(`UPDATE things SET ${sql} WHERE id = ?`)
          .run(...values, id as SQLInputValue);
      },
      insert: async (row) => insert(row),
      remove: async (id) => {
        database.prepare('DELETE FROM things WHERE id = ?').run(id as SQLInputValue);
      },
      index: async (name, field) => database.exec(`CREATE INDEX "${name}" ON things ("${field}")`),
    };
  },
};

describe('an SQLite target', () => {
  targetContract(sqlite);

  const things: Selection = { collection: 'things', key: 'id', filters: [] };

  it.each(['read', 'write'] as const)('does not make a file to %s that is not there', (access) => {
    const file = join(folder(), 'missing.db');
    expect(() => openSqliteTarget(file, access)).toThrow(
      expect.objectContaining({ code: 'MIGRATION_TARGET_UNREACHABLE' }),
    );
    expect(existsSync(file)).toBe(false);
  });

  it('says so when the file is no database', async () => {
    const file = join(folder(), 'text.db');
    writeFileSync(file, 'this is not a database, it is text of some length');
    const target = openSqliteTarget(file, 'read');
    cleanUp.push(() => void target.close());
    await expect(target.server()).rejects.toMatchObject({ code: 'MIGRATION_TARGET_FAILED' });
  });

  it('says which table or column it does not have, and writes nothing of that batch', async () => {
    const { read, write } = opened(
      'CREATE TABLE things (id INTEGER PRIMARY KEY, a); INSERT INTO things VALUES (1, 1), (2, 2)',
    );
    await expect(read.count({ ...things, collection: 'nothings' })).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
      message: expect.stringContaining('nothings'),
    });
    await expect(
      read.count({ ...things, filters: [{ nowhere: { equals: 1 } }] }),
    ).rejects.toMatchObject({ message: expect.stringContaining('nowhere') });
    const [first, second] = await read.page(things, undefined, 2);
    const good = editOf(first!, { ...first, a: 100 });
    const bad = editOf(second!, { ...second, nowhere: 1 });
    await expect(write.write(things, [good, bad])).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
      message: expect.stringContaining('nowhere'),
    });
    expect(await read.find(things, [1])).toEqual([first]);
  });

  it('keeps integers as integers and dates as ISO text, whatever the column says', async () => {
    const { database, write } = opened(
      'CREATE TABLE things (id INTEGER PRIMARY KEY, t TEXT, n, d, o, yes); INSERT INTO things (id) VALUES (1)',
    );
    const [before] = await write.page(things, undefined, 1);
    const after = { ...before, t: 5, n: 7, d: new Date(0), o: { x: [1] }, yes: true };
    expect(await write.write(things, [editOf(before!, after)])).toEqual(['written']);
    const row = database.prepare('SELECT t, n, typeof(n) AS type, d, o, yes FROM things').get();
    expect({ ...row }).toEqual({
      t: '5',
      n: 7,
      type: 'integer',
      d: '1970-01-01T00:00:00.000Z',
      o: '{"x":[1]}',
      yes: 1,
    });
  });

  it('compares text with text and numbers with numbers, whatever the column says', async () => {
    const { write } = opened(
      `CREATE TABLE things (id INTEGER PRIMARY KEY, t TEXT COLLATE NOCASE, n INTEGER); INSERT INTO things VALUES (1, '5', 5), (2, 'Abc', 6)`,
    );
    const count = (filter: Filter) => write.count({ ...things, filters: [filter] });
    expect(await count({ t: { equals: '5' }, n: { equals: 5 } })).toBe(1);
    expect(await count({ t: { equals: 5 } })).toBe(0);
    expect(await count({ n: { in: ['5'] } })).toBe(0);
    expect(await count({ t: { not: 5 }, n: { not: '5' } })).toBe(2);
    expect(await count({ t: { equals: 'abc' } })).toBe(0);
  });

  it('takes as many columns as a table can have', async () => {
    const columns = Array.from({ length: 1_900 }, (_, index) => `c${index}`);
    const { write } = opened(
      `CREATE TABLE things (id INTEGER PRIMARY KEY, ${columns.join(', ')}); INSERT INTO things (id) VALUES (1)`,
    );
    const [before] = await write.page(things, undefined, 1);
    const edit = editOf(before!, { ...before, c0: 1, c1899: 'x' });
    expect(await write.write(things, [edit])).toEqual(['written']);
  });

  it('waits for who holds the file without keeping the process waiting', async () => {
    const { database, write } = opened(
      'CREATE TABLE things (id INTEGER PRIMARY KEY, a); INSERT INTO things (id) VALUES (1)',
    );
    const [before] = await write.page(things, undefined, 1);
    database.exec('BEGIN IMMEDIATE; UPDATE things SET a = NULL');
    const writing = write.write(things, [editOf(before!, { ...before, a: 2 })]);
    await new Promise(setImmediate); // which comes while it is waited for
    database.exec('COMMIT');
    expect(await writing).toEqual(['written']);
  });

  it('refuses an integer that does not fit, and writes the rest', async () => {
    const { write } = opened(
      'CREATE TABLE things (id INTEGER PRIMARY KEY, a); INSERT INTO things (id) VALUES (1), (2)',
    );
    const rows = await write.page(things, undefined, 2);
    const edits = rows.map((row, index) =>
      editOf(row, { ...row, a: [2n ** 70n, 2n ** 60n][index] }),
    );
    expect(await write.write(things, edits)).toEqual([
      { refused: expect.stringContaining('an integer of more than 64 bits') },
      'written',
    ]);
  });

  it('reads and writes nothing where the key is not unique', async () => {
    const { write } = opened(
      'CREATE TABLE things (id, a); INSERT INTO things (id) VALUES (1), (1)',
    );
    await expect(write.page(things, undefined, 1)).rejects.toMatchObject({
      code: 'MIGRATION_KEY_UNUSABLE',
      message: expect.stringContaining('several documents whose id is 1'),
    });
    const edit = editOf({ id: 1, a: null }, { id: 1, a: 1 });
    await expect(write.write(things, [edit])).rejects.toMatchObject({
      code: 'MIGRATION_KEY_UNUSABLE',
      message: expect.stringContaining('several documents whose id is 1'),
    });
    expect(await write.count({ ...things, filters: [{ a: { exists: true } }] })).toBe(0);
  });

  it('reads a column of JSON that holds something else as the text that it is', async () => {
    const { write } = opened(
      `CREATE TABLE things (id INTEGER PRIMARY KEY, doc JSON, a); INSERT INTO things VALUES (1, '{"x"', 1)`,
    );
    const [before] = await write.page(things, undefined, 1);
    expect(before).toMatchObject({ doc: '{"x"' });
    expect(await write.count({ ...things, filters: [{ 'doc.x': { exists: false } }] })).toBe(1);
    expect(await write.write(things, [editOf(before!, { ...before, a: 2 })])).toEqual(['written']);
  });

  it('leaves a read-only file as it is and says so', async () => {
    if (process.getuid?.() === 0) return; // who may do everything is not stopped by a mode
    const { database, file } = opened('CREATE TABLE things (id INTEGER PRIMARY KEY, a)');
    database.exec('PRAGMA journal_mode = DELETE; INSERT INTO things VALUES (1, 1)');
    chmodSync(file, 0o400);
    const target = openSqliteTarget(file, 'write');
    cleanUp.push(() => void target.close());
    const [before] = await target.page(things, undefined, 1);
    await expect(
      target.write(things, [editOf(before!, { ...before, a: 2 })]),
    ).rejects.toMatchObject({ code: 'MIGRATION_TARGET_READ_ONLY' });
  });
});
