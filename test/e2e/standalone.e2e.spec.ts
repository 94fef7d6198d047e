import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, jest } from '@jest/globals';
import { booleanFlag, makeFlags, openHouse, standalone } from './house.ts';
import { start, temporaryFolder } from './process.ts';

jest.setTimeout(60_000);

/** A start that must fail: its exit code and what it said. */
async function refused(env: Record<string, string>) {
  await using program = start(standalone, [], { PORT_BASE: '0', ...env });
  return { code: await program.ended(), said: program.output() };
}

describe('standalone', () => {
  it('starts five services, keeps what it was told over a kill -9, and stops with 0 on Ctrl-C', async () => {
    await using first = await openHouse();
    expect(Object.keys(first.urls).sort()).toEqual([
      'audit-sink',
      'flag-service',
      'metrics-gatekeeper',
      'migration-runner',
      'notifier',
    ]);
    await makeFlags(first);
    const definition = join(first.folder, 'flag.json');
    writeFileSync(definition, JSON.stringify(booleanFlag(12.5)));
    expect(await first.tidegate('flag', 'set', 'checkout-v2', definition)).toMatchObject({
      code: 0,
    });
    await first.program.kill();

    await using second = await openHouse({ DATA_DIR: first.folder });
    expect(second.adminKey).toBe(first.adminKey);
    const got = await second.tidegate('flag', 'get', 'checkout-v2', '--json');
    expect(JSON.parse(got.output)).toMatchObject({
      key: 'checkout-v2',
      flag: { definition: { exposure: { percentage: 12.5 } } },
    });
    second.program.signal('SIGINT');
    expect(await second.program.ended()).toBe(0);
  });

  it('is not started twice on one folder: it says which, and the first one goes on', async () => {
    await using house = await openHouse();
    await makeFlags(house, 'checkout-v2');
    const { code, said } = await refused({ DATA_DIR: house.folder });
    expect(code).toBe(1);
    expect(said).toContain(house.folder);
    expect(said).toMatch(/another process|in use/i);
    expect(await house.tidegate('flag', 'get', 'checkout-v2')).toMatchObject({ code: 0 });
  });

  it('names the port and the option when the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, said } = await refused({
      DATA_DIR: join(temporaryFolder(), 'data'),
      PORT_BASE: String(port - 4),
    });
    taken.close();
    expect(code).toBe(1);
    expect(said).toContain(`Port ${port}`);
    expect(said).toContain('PORT_BASE');
  });
});

describe('a data folder that is not right', () => {
  it.each([
    ['of something else', 'notes.txt', 'mine', 'not a data folder'],
    ['of another version', 'format', '99\n', 'format 99'],
  ])('%s is named and left as it is', async (_what, name, text, said) => {
    const folder = join(temporaryFolder(), 'data');
    mkdirSync(folder);
    writeFileSync(join(folder, name), text);
    const program = await refused({ DATA_DIR: folder });
    expect(program.code).toBe(1);
    expect(program.said).toContain(folder);
    expect(program.said).toContain(said);
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  });

  it.each(['store.db', 'bus.db'])(
    'with a %s of a later release is named and left',
    async (name) => {
      const folder = join(temporaryFolder(), 'data');
      mkdirSync(folder);
      writeFileSync(join(folder, 'format'), '1\n');
      const file = join(folder, name);
      const later = new DatabaseSync(file);
      later.exec(
        'PRAGMA user_version = 999; CREATE TABLE theirs (id); INSERT INTO theirs VALUES (1)',
      );
      later.close();
      const { code, said } = await refused({ DATA_DIR: folder });
      expect(code).toBe(1);
      expect(said).toContain(file);
      const found = new DatabaseSync(file);
      expect(found.prepare('SELECT id FROM theirs').all()).toEqual([{ id: 1 }]);
      expect(found.prepare('PRAGMA user_version').get()).toEqual({ user_version: 999 });
      found.close();
    },
  );

  it.each(['store.db', 'bus.db'])(
    'with a %s that is no database is named and left',
    async (name) => {
      const folder = join(temporaryFolder(), 'data');
      mkdirSync(folder);
      writeFileSync(join(folder, 'format'), '1\n');
      const file = join(folder, name);
      const text = 'not a database, but something that somebody may want back\n'.repeat(40);
      writeFileSync(file, text);
      const { code, said } = await refused({ DATA_DIR: folder });
      expect(code).toBe(1);
      expect(said).toContain(file);
      expect(readFileSync(file, 'utf8')).toBe(text);
    },
  );

  it('that is a file is named', async () => {
    const folder = join(temporaryFolder(), 'data');
    writeFileSync(folder, 'mine');
    const { code, said } = await refused({ DATA_DIR: folder });
    expect(code).toBe(1);
    expect(said).toContain(folder);
    expect(readFileSync(folder, 'utf8')).toBe('mine');
  });
});

describe('wrong options', () => {
  it('are all told at once, those of the services too, before anything is made', async () => {
    const parent = temporaryFolder();
    const keys = join(parent, 'keys');
    const { code, said } = await refused({
      DATA_DIR: join(parent, 'data'),
      PORT_BASE: 'high',
      LOG_LEVEL: 'loud',
      ADMIN_API_KEY: 'short',
      HTTP_BODY_LIMIT_BYTES: 'large',
      NOTIFIER_WEBHOOK_URL: 'http://127.0.0.1:1/',
      AUDIT_SEAL_EVERY_RECORDS: '0',
      METRICS_GATEKEEPER_SCRAPE_TIMEOUT_MS: '3s',
      API_KEYS_FILE: keys,
    });
    expect(code).toBe(1);
    for (const option of [
      'PORT_BASE',
      'LOG_LEVEL',
      'ADMIN_API_KEY',
      'HTTP_BODY_LIMIT_BYTES',
      'NOTIFIER_WEBHOOK_SECRET',
      'AUDIT_SEAL_EVERY_RECORDS',
      'METRICS_GATEKEEPER_SCRAPE_TIMEOUT_MS',
    ])
      expect(said).toContain(option);
    expect(said.match(/LOG_LEVEL/g)).toHaveLength(1);
  });

  it.each([
    ['is not there', undefined],
    ['has a line that is no key', 'alex viewer\n'],
  ])('a file of keys that %s is named', async (_what, text) => {
    const file = join(temporaryFolder(), 'keys');
    if (text !== undefined) writeFileSync(file, text);
    const { code, said } = await refused({
      DATA_DIR: join(temporaryFolder(), 'data'),
      API_KEYS_FILE: file,
    });
    expect(code).toBe(1);
    expect(said).toContain(file);
  });

  it('a file of routes that is no JSON is named', async () => {
    const file = join(temporaryFolder(), 'routes.json');
    writeFileSync(file, '[{');
    const { code, said } = await refused({
      DATA_DIR: join(temporaryFolder(), 'data'),
      NOTIFIER_ROUTES_FILE: file,
    });
    expect(code).toBe(1);
    expect(said).toContain(file);
  });
});
