import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import { targetContract } from './target.contract.ts';
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

  it('says so when the file is not there', () => {
    const open = () => openSqliteTarget(join(folder(), 'missing.db'), 'read');
    expect(open).toThrow(expect.objectContaining({ code: 'MIGRATION_TARGET_UNREACHABLE' }));
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
    expect(await target.indexOf(selection)).toBe('by_a');
  });
});
