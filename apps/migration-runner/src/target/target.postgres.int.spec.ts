import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { editOf, type Filter, type Path, type Row } from '@tidegate/migration';
import pg from 'pg';
import { openServer, openServerIfAny } from '../../../../test/servers/servers.ts';
import { jsonOf } from './json.ts';
import { targetContract } from './target.contract.ts';
import { openPostgresTarget } from './target.postgres.ts';
import type { Selection } from './target.port.ts';
import type { TargetKind } from './world.contract.ts';

const server = await openServerIfAny('postgres', { own: true });
const admin = new pg.Pool({ connectionString: server?.url, max: 4 });
const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});
afterAll(async () => {
  await admin.end();
  await server?.stop();
});

const text = (value: unknown): string | null =>
  (value ?? null) === null
    ? null
    : typeof value === 'object'
      ? jsonOf(value)
      : (value as number).toString();
const types = {
  default: 'bigint',
  text: 'text',
  uuid: 'uuid',
  date: 'timestamptz',
  decimal: 'numeric',
};
const COLUMNS = ['a', 'b', 'f', 'big', 'at', 'u', 'doc'] as const;

/** A table with a name of its own. */
const tableWith = async (columns: string): Promise<string> => {
  const name = `things_${randomUUID().slice(0, 8)}`;
  await admin.query(`CREATE TABLE ${name} (${columns})`);
  cleanUp.push(() => admin.query(`DROP TABLE ${name}`));
  return name;
};
const openTarget = (access: 'read' | 'write', url = server?.url ?? '') => {
  const target = openPostgresTarget(url, access);
  cleanUp.push(() => target.close());
  return target;
};

const postgres: TargetKind = {
  key: 'id',
  keys: {
    default: [3, 1, 2, -5, 2n ** 53n + 1n, -(2n ** 60n)],
    text: ['b', 'a', '$odd', '$int:7', '', '🐎', "it's", '{"', '\\', 'B'],
    uuid: [randomUUID(), randomUUID(), randomUUID()],
    date: ['2020-01-01T00:00:00.000Z', '1901-02-03T04:05:06.789Z', '2020-01-01T00:00:00.000001Z'],
    decimal: ['1.5', '-2', '123456789012345678901234567890.5'],
  },
  date: (iso) => iso,
  keepsNaN: true,
  hugeBytes: 8_000_000,
  columnType: 'text',
  hasValidators: true,
  open: async (rows, keys = 'default') => {
    const collection = await tableWith(
      `id ${types[keys as keyof typeof types]} PRIMARY KEY, a double precision, b text, f double precision,
       big bigint, at timestamptz, u text UNIQUE, doc jsonb`,
    );
    const run = (sql: string, values: readonly unknown[]) => admin.query(sql, values.map(text));
    const insert = async (row: Row): Promise<void> => {
      const names = ['id', ...COLUMNS];
      await run(
        `INSERT INTO ${collection} VALUES (${names.map((_name, index) => `$${index + 1}`).join(', ')})`,
        names.map((name) => row[name]),
      );
    };
    for (const row of rows) await insert(row);
    const edit = async (id: unknown, [name = '', ...inner]: Path, value: unknown) => {
      const place = `'{${inner.join(',')}}'`;
      if (inner.length === 0)
        await run(`UPDATE ${collection} SET "${name}" = $2 WHERE id = $1`, [id, value]);
      else if (value === undefined)
        await run(`UPDATE ${collection} SET "${name}" = "${name}" #- ${place} WHERE id = $1`, [id]);
      else
        await admin.query(
          `UPDATE ${collection} SET "${name}" = jsonb_set("${name}", ${place}, $2) WHERE id = $1`,
          [String(id), jsonOf(value)],
        );
    };
    return {
      collection,
      write: openTarget('write'),
      read: openTarget('read'),
      edit,
      insert,
      remove: async (id) => void (await run(`DELETE FROM ${collection} WHERE id = $1`, [id])),
      index: async (name, field) =>
        void (await run(`CREATE INDEX "${name}" ON ${collection} ("${field}")`, [])),
    };
  },
};

const describeIf = server ? describe : describe.skip;
describeIf('a PostgreSQL target', () => {
  targetContract(postgres);

  it('finds the one document that is refused among many by few statements', async () => {
    const table = await tableWith('id bigint PRIMARY KEY, a bigint CHECK (a <> -321)');
    await admin.query(`INSERT INTO ${table} SELECT id, 0 FROM generate_series(1, 500) AS id`);
    // A sequence counts what is rolled back, too.
    await admin.query(`CREATE SEQUENCE ${table}_statements`);
    cleanUp.push(() => admin.query(`DROP SEQUENCE ${table}_statements`));
    await admin.query(
      `CREATE FUNCTION ${table}_count() RETURNS trigger LANGUAGE plpgsql
       AS $$ BEGIN PERFORM nextval('${table}_statements'); RETURN NULL; END $$`,
    );
    cleanUp.push(() => admin.query(`DROP FUNCTION ${table}_count() CASCADE`));
    await admin.query(
      `CREATE TRIGGER counted BEFORE UPDATE ON ${table} EXECUTE FUNCTION ${table}_count()`,
    );
    const write = openTarget('write');
    const rows = await write.page(of(table), undefined, 500);
    const edits = rows.map((row) => editOf(row, { ...row, a: -Number(row['id']) }));
    const results = await write.write(of(table), edits);
    expect(results.flatMap((each, at) => (each === 'written' ? [] : [at + 1]))).toEqual([321]);
    const { rows: counted } = await admin.query(`SELECT last_value FROM ${table}_statements`);
    expect(Number(counted[0].last_value)).toBeLessThan(25);
  });

  const of = (collection: string, filters: readonly Filter[] = []): Selection => ({
    collection,
    key: 'id',
    filters,
  });
  /** A table with one row, which is read, changed and read again. */
  const changed = async (columns: string, row: string, fields: Row) => {
    const collection = await tableWith(`id integer PRIMARY KEY, ${columns}`);
    await admin.query(`INSERT INTO ${collection} VALUES (1, ${row})`);
    const target = openTarget('write');
    const [before] = await target.page(of(collection), undefined, 1);
    const [written] = await target.write(of(collection), [
      editOf(before!, { ...before, ...fields }),
    ]);
    const [after] = await target.page(of(collection), undefined, 1);
    return { before, written, after, target, collection };
  };

  it.each([
    ['int4', '7', 7, -8],
    ['int8', '9007199254740993', 2n ** 53n + 1n, 2n ** 62n],
    ['numeric(12, 2)', '10.50', 10.5, -0.01],
    ['numeric(30, 0)', '123456789012345678901', 123456789012345678901n, 5],
    ['numeric(30, 2)', '12345678901234567890.10', '12345678901234567890.10', '0.10'],
    ['numeric', '1e-30', '0.000000000000000000000000000001', '2.50'],
    ['float8', "'-Infinity'", -Infinity, 1e-300],
    ['float4', '0.1', 0.1, 0.5],
    ['boolean', 'true', true, false],
    ['char(3)', "'a'", 'a', 'xyz'],
    ['timestamptz', "'1969-12-31 23:59:59.5+02'", '1969-12-31T21:59:59.500Z', new Date(-1)],
    [
      'timestamp',
      "'2020-02-29 01:02:03.000004'",
      '2020-02-29T01:02:03.000004',
      '1066-10-14T00:00:00.000',
    ],
    ['timestamptz', "'infinity'", 'infinity', '2020-01-01T00:00:00.000Z'],
    ['date', "'0044-03-15 BC'", '0044-03-15 BC', '1900-02-28'],
    ['interval', "'1 day 2 hours'", 'P1DT2H', 'PT3M'],
    [
      'uuid',
      "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    ],
    ['bytea', "'\\x00ff'", Uint8Array.of(0, 255), Uint8Array.of(1)],
    ['text[]', `'{a,NULL,"b \\" c",""}'`, ['a', null, 'b " c', ''], ['{}', null, 'x,y', '\\']],
    [
      'int8[]',
      "'{{1,2},{3,9007199254740993}}'",
      [
        [1, 2],
        [3, 2n ** 53n + 1n],
      ],
      [],
    ],
    ['json', `'{"a": 1.10, "a2": [null]}'`, { a: 1.1, a2: [null] }, [1, { x: 'y' }]],
    ['jsonb', "'null'", null, 'text'],
    ['point', "'(1,2)'", '(1,2)', '(3,4)'],
  ])('reads %s %s, compares it and writes it', async (type, sql, value, next) => {
    const { before, written, after } = await changed(`v ${type}, n int`, `${sql}, 0`, { n: 1 });
    expect(before).toEqual({ id: 1, v: value, n: 0 });
    expect(written).toBe('written');
    expect(after).toEqual({ ...before, n: 1 });
    const second = await changed(`v ${type}`, sql, { v: next });
    expect(second.written).toBe('written');
    expect(second.after).toEqual({ id: 1, v: next instanceof Date ? next.toISOString() : next });
  });

  it.each([
    ['varchar(3)', "'abc'", 'abcd', 'too long'],
    ['int4', '1', 1.5, 'invalid input syntax'],
    ['int4', '1', 2 ** 40, 'out of range'],
    ['numeric(12, 2)', '1', 1.005, 'v would be kept as 1.01 instead of 1.005'],
    ['numeric(3, 0)', '1', '1.5', 'v would be kept as 2 instead of 1.5'],
    ['text', "'x'", 5, 'v would be kept as 5 instead of 5'],
    ['text', "'x'", 'a\0b', 'invalid byte sequence'],
    ['jsonb', "'{}'", { x: Infinity }, 'JSON has no Infinity'],
    ['timestamptz', "'2020-01-01'", 'yesterday-ish', 'invalid input syntax'],
    ['text NOT NULL', "'x'", null, 'null value'],
    ['int CHECK (v > 0)', '1', -1, 'check constraint'],
  ])('writes nothing where %s %s cannot keep %p', async (type, sql, value, why) => {
    const { before, written, after } = await changed(`v ${type}`, sql, { v: value });
    expect(written).toEqual({ refused: expect.stringContaining(why) });
    expect(after).toEqual(before);
  });

  it('leaves what stands beside a change in JSON as it was, to the last digit', async () => {
    const doc = '{"money": 12345678901234567.89, "n": 1, "deep": {"m": 0.12345678901234567890}}';
    const { written, target, collection, before } = await changed('doc jsonb', `'${doc}'`, {});
    expect(written).toBe('written');
    const old = before!['doc'] as { deep: object };
    const next = { ...old, n: 2, deep: { ...old.deep, x: 'new' } };
    expect(await target.write(of(collection), [editOf(before!, { ...before, doc: next })])).toEqual(
      ['written'],
    );
    const { rows } = await admin.query(`SELECT doc::text AS doc FROM ${collection}`);
    expect(rows[0].doc).toBe(
      '{"n": 2, "deep": {"m": 0.12345678901234567890, "x": "new"}, "money": 12345678901234567.89}',
    );
  });

  it('reads a domain as what it is based on, and an enum as text', async () => {
    const name = `t${randomUUID().slice(0, 8)}`;
    await admin.query(`CREATE TYPE ${name}_state AS ENUM ('old', 'new')`);
    await admin.query(`CREATE DOMAIN ${name}_money AS numeric(10, 2) CHECK (VALUE >= 0)`);
    cleanUp.push(() => admin.query(`DROP TYPE ${name}_state; DROP DOMAIN ${name}_money`));
    const columns = `state ${name}_state, money ${name}_money`;
    const { before, written, after, target, collection } = await changed(columns, "'old', 2.5", {
      state: 'new',
      money: 3,
    });
    expect(before).toEqual({ id: 1, state: 'old', money: 2.5 });
    expect([written, after]).toEqual(['written', { id: 1, state: 'new', money: 3 }]);
    const filter: Filter = { state: { in: ['new', 'old'] }, money: { above: 2 } };
    expect(await target.count(of(collection, [filter]))).toBe(1);
    expect(await target.count(of(collection, [{ state: { above: 'mew' } }]))).toBe(1);
  });

  it('says which table or column it does not have, and writes nothing of that batch', async () => {
    const { target, collection, before } = await changed('a int', '1', {});
    await expect(target.count(of('nothings'))).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
      message: expect.stringContaining('nothings'),
    });
    const filters = [{ nowhere: { equals: 1 } }];
    await expect(target.count(of(collection, filters))).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
      message: expect.stringContaining('nowhere; it has id, a'),
    });
    const edit = editOf(before!, { ...before, nowhere: 1 });
    await expect(target.write(of(collection), [edit])).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_FAILED',
      message: expect.stringContaining('nowhere'),
    });
  });

  it('goes on when somebody adds a column', async () => {
    const { target, collection, before } = await changed('a int', '1', {});
    await admin.query(`ALTER TABLE ${collection} ADD COLUMN b int`);
    const [now] = await target.page(of(collection), undefined, 1);
    expect(now).toEqual({ id: 1, a: 1, b: null });
    expect(await target.write(of(collection), [editOf(before!, { ...before, a: 2 })])).toEqual([
      'written',
    ]);
  });

  it('refuses keys that are null, or not unique', async () => {
    const collection = await tableWith('id int, a int');
    await admin.query(`INSERT INTO ${collection} VALUES (1, 1), (1, 2), (NULL, 3)`);
    const target = openTarget('write');
    await expect(target.page(of(collection), undefined, 1)).rejects.toMatchObject({
      code: 'MIGRATION_KEY_UNUSABLE',
    });
    await expect(target.page(of(collection), 0, 1)).rejects.toMatchObject({
      code: 'MIGRATION_KEY_UNUSABLE',
      message: expect.stringContaining('several documents whose id is 1'),
    });
    const [before] = await target.find(of(collection), [1]);
    const edit = editOf(before!, { ...before, a: 5 });
    await expect(target.write(of(collection), [edit])).rejects.toMatchObject({
      code: 'MIGRATION_KEY_UNUSABLE',
    });
  });

  it('writes past a row that somebody keeps locked, and says that it waits for it', async () => {
    const collection = await tableWith('id int PRIMARY KEY, a int');
    await admin.query(`INSERT INTO ${collection} SELECT n, 0 FROM generate_series(1, 3) n`);
    const target = openTarget('write');
    const rows = await target.page(of(collection), undefined, 3);
    const edits = rows.map((row) => editOf(row, { ...row, a: 1 }));
    const other = await admin.connect();
    await other.query(`BEGIN; SELECT * FROM ${collection} WHERE id = 2 FOR UPDATE`);
    await expect(target.write(of(collection), edits)).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_UNREACHABLE',
      retryable: true,
      message: expect.stringContaining('lock'),
    });
    expect(await target.count(of(collection, [{ a: { equals: 1 } }]))).toBe(2);
    await other.query(`UPDATE ${collection} SET a = 7 WHERE id = 2; COMMIT`);
    other.release();
    expect(await target.write(of(collection), edits)).toEqual(['conflict', 'conflict', 'conflict']);
    expect(await target.find(of(collection), [2])).toEqual([{ id: 2, a: 7 }]);
  });

  it('is told that its connection was cut, and works again with the next one', async () => {
    const { target, collection, before } = await changed('a int', '1', {});
    const other = await admin.connect();
    await other.query(`BEGIN; LOCK TABLE ${collection}`);
    const writing = target
      .write(of(collection), [editOf(before!, { ...before, a: 2 })])
      .catch((error: unknown) => error);
    await eventually(async () => {
      const { rows } = await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
    expect(await writing).toMatchObject({ code: 'MIGRATION_TARGET_UNREACHABLE', retryable: true });
    await other.query('ROLLBACK');
    other.release();
    expect(await target.page(of(collection), undefined, 1)).toEqual([before]);
  });

  it('keeps to reading whatever the address says', async () => {
    const { collection, before } = await changed('a int', '1', {});
    const url = new URL(server?.url ?? '');
    url.searchParams.set('options', '-c default_transaction_read_only=off -c search_path=public');
    const target = openTarget('read', url.href);
    await expect(
      target.write(of(`public.${collection}`), [editOf(before!, { ...before, a: 2 })]),
    ).rejects.toMatchObject({ code: 'MIGRATION_TARGET_FAILED' });
    expect(await target.page(of(`public.${collection}`), undefined, 1)).toEqual([before]);
  });

  it('is denied without the right to read or write, and never shows a password', async () => {
    const { collection, before } = await changed('a int', '1', {});
    const role = `reader_${randomUUID().slice(0, 8)}`;
    await admin.query(`CREATE ROLE ${role} LOGIN`);
    cleanUp.push(() => admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
    const url = new URL(server?.url ?? '');
    url.username = role;
    url.password = 'secret';
    const target = openTarget('write', url.href);
    await expect(target.count(of(collection))).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_DENIED',
    });
    await admin.query(`GRANT SELECT ON ${collection} TO ${role}`);
    expect(await target.count(of(collection))).toBe(1);
    await expect(
      target.write(of(collection), [editOf(before!, { ...before, a: 2 })]),
    ).rejects.toMatchObject({ code: 'MIGRATION_TARGET_DENIED' });
    url.username = 'nobody';
    const wrong = openTarget('read', url.href).server();
    await expect(wrong).rejects.toMatchObject({ code: 'MIGRATION_TARGET_DENIED' });
    await expect(wrong).rejects.not.toThrow('secret');
    url.port = '1';
    const away = openTarget('read', url.href).server();
    await expect(away).rejects.toMatchObject({ code: 'MIGRATION_TARGET_UNREACHABLE' });
    await expect(away).rejects.not.toThrow('secret');
  });

  it('takes what an index of some rows finds for found by it', async () => {
    const collection = await tableWith('id int PRIMARY KEY, a int, doc jsonb');
    await admin.query(`CREATE INDEX ${collection}_left ON ${collection} (id) WHERE a IS NULL`);
    await admin.query(`CREATE INDEX ${collection}_x ON ${collection} ((doc -> 'x'))`);
    const target = openTarget('read');
    const left = of(collection, [{ a: { equals: null } }]);
    expect(await target.readBy(left)).toMatchObject({ index: `${collection}_left` });
    const inside = of(collection, [{ 'doc.x': { equals: 'old' } }]);
    expect(await target.readBy(inside)).toMatchObject({ index: `${collection}_x` });
    expect((await target.readBy(of(collection))).index).toBeUndefined();
  });

  it('builds an index while others write, and again where a build was broken off', async () => {
    const collection = await tableWith('id int PRIMARY KEY, a int');
    await admin.query(`INSERT INTO ${collection} SELECT n, n / 2 FROM generate_series(1, 100) n`);
    const target = openTarget('write');
    const name = `${collection}_a`;
    const unique = { name, fields: { a: 1 }, unique: true } as const;
    const wanted = {
      id: 'm',
      target: 't',
      phase: 'schema',
      collection,
      indexes: [unique],
    } as const;
    await expect(target.schema.ensure(wanted)).rejects.toThrow('could not create unique index');
    await admin.query(`UPDATE ${collection} SET a = id`);
    const other = await admin.connect();
    await other.query(`BEGIN; UPDATE ${collection} SET a = 1000 WHERE id = 1`);
    const built = target.schema.ensure(wanted);
    await eventually(async () => {
      const { rows } = await admin.query(
        `SELECT 1 FROM pg_stat_activity WHERE query ~ '^(DROP|CREATE UNIQUE) INDEX CONCURRENTLY' AND wait_event_type = 'Lock'`,
      );
      return rows.length === 1;
    });
    await admin.query(`UPDATE ${collection} SET a = 2000 WHERE id = 2`);
    await other.query('COMMIT');
    other.release();
    await built;
    expect(await target.schema.missing(wanted)).toEqual([]);
  });

  it('says of a standby that it takes no writes, and reads from it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-standby-'));
    const standby = await openServer('postgres', { folder });
    cleanUp.push(async () => {
      await standby.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    writeFileSync(join(folder, 'data', 'standby.signal'), '');
    await standby.restart();
    await eventually(() => openTarget('read', standby.url).server());
    await expect(openTarget('write', standby.url).server()).rejects.toMatchObject({
      code: 'MIGRATION_TARGET_READ_ONLY',
    });
    expect(await openTarget('read', standby.url).server()).toMatch(/^PostgreSQL \d/);
  });
});
