import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, it, jest } from '@jest/globals';
import { memoryBus } from '@tidegate/bus/testing';
import { RunMigration } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import { randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { memoryStore } from '@tidegate/store/testing';
import { migrationRunner } from '../index.ts';

jest.setTimeout(30_000);

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

const TOTALS = `export default {
  id: 'totals', target: 'shop', collection: 'orders',
  pending: { total: { equals: null } },
  up: (order) => ({ ...order, total: order.price }),
};`;
const TIDY = `export default {
  id: 'tidy', target: 'shop', collection: 'orders', phase: 'cleanup', dependsOn: ['totals'],
  pending: { note: { not: null } }, up: (order) => ({ ...order, note: null }),
};`;

/** Seven orders without a total, and runners that keep what they know: each is started with texts of its own. */
function shop() {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-migrations-'));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'shop.db');
  const database = new DatabaseSync(file);
  cleanUp.push(() => database.close());
  database.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER PRIMARY KEY, price, total, note)',
  );
  for (let price = 1; price <= 7; price += 1)
    database.prepare('INSERT INTO orders (price) VALUES (?)').run(price);
  const clock = systemClock;
  const bus = memoryBus({ clock, ids: randomIds });
  cleanUp.push(() => bus.close());
  const store = memoryStore({ clock });
  const start = async (texts: Record<string, string>): Promise<TestService> => {
    // A module is loaded once from each address: another text needs another one.
    const texted = mkdtempSync(join(folder, 'texts-'));
    for (const [name, text] of Object.entries(texts))
      writeFileSync(join(texted, `${name}.mjs`), text);
    const env = {
      MIGRATIONS_DIR: texted,
      MIGRATION_TARGETS: `shop=sqlite:${file}`,
      MIGRATION_CHECK_MS: '50',
      MIGRATION_SETTLE_MS: '50',
    };
    return startTestService(migrationRunner, { env, bus, store });
  };
  const totals = () =>
    database
      .prepare('SELECT total FROM orders')
      .all()
      .map(({ total }) => total);
  return { start, totals, database };
}

const ask = (service: TestService, action: string, options: object = {}, migration = 'totals') =>
  service.post<{ run: string; code?: string }>('/v1/runs', { migration, action, ...options });

interface Ended {
  readonly run: string;
  readonly status: string;
  readonly message?: string;
}
async function ended(service: TestService, action: string, options: object = {}): Promise<Ended> {
  const { status, body } = await ask(service, action, options);
  expect([status, body]).toEqual([201, expect.objectContaining({ run: expect.any(String) })]);
  return eventually(async () => {
    const { body: run } = await service.get<Ended>(`/v1/runs/${body.run}`);
    return run.status !== 'running' && run;
  }) as Promise<Ended>;
}

async function done(service: TestService, action: string, options: object = {}): Promise<string> {
  const { status, message, run } = await ended(service, action, options);
  expect([status, message]).toEqual(['completed', undefined]);
  return run;
}

async function logged(service: TestService): Promise<readonly string[]> {
  const { body } = await service.get<{ items: { status: string; action: string }[] }>(
    '/v1/migrations/totals/log',
  );
  return body.items.map(({ status, action }) => `${status} ${action}`);
}

const refused = (code: string, detail: string, status = 409) => ({
  status,
  body: { code, detail: expect.stringContaining(detail) },
});

it('shows how each migration stands, and what was done with it', async () => {
  const service = await shop().start({ totals: TOTALS, tidy: TIDY });
  const run = await done(service, 'execute', { reason: 'new totals' });
  await done(service, 'verify');
  const { body } = await service.get<{ items: unknown[] }>('/v1/migrations');
  expect(body.items).toMatchObject([
    { id: 'tidy', phase: 'cleanup', dependsOn: ['totals'], done: 'nothing', verified: false },
    { id: 'totals', phase: 'data', done: 'all', verified: true, executed: { run } },
  ]);
  const log = await service.get<{ items: unknown[] }>('/v1/migrations/totals/log');
  expect(log.body.items).toMatchObject([
    { status: 'STARTED', action: 'execute', run, reason: 'new totals', by: expect.any(String) },
    { status: 'COMPLETED', run, counts: { changed: 7 } },
    { status: 'STARTED', action: 'verify' },
    { status: 'COMPLETED', action: 'verify' },
  ]);
  const runs = await service.get<{ items: unknown[] }>('/v1/runs?migration=totals');
  expect(runs.body.items).toHaveLength(2);
  expect(await service.get('/v1/migrations/nothing/log')).toMatchObject({
    status: 404,
    body: { code: 'MIGRATION_UNKNOWN' },
  });
});

it('refuses a text that was changed after it was executed, until a person says why it is right', async () => {
  const { start } = shop();
  const first = await start({ totals: TOTALS });
  await done(first, 'execute');
  await first.stop();
  const second = await start({ totals: `${TOTALS} // commented` });
  for (const action of ['plan', 'execute', 'verify', 'revert'])
    expect(await ask(second, action)).toMatchObject(refused('MIGRATION_CHANGED', 'acceptChange'));
  const { body } = await second.get<{ items: unknown[] }>('/v1/migrations');
  expect(body.items).toMatchObject([{ id: 'totals', isChanged: true }]);
  // How its standing is made is not told.
  expect(body.items[0]).not.toHaveProperty('executedFor');
  await done(second, 'execute', { acceptChange: 'a comment' });
  await done(second, 'verify');
  const log = await second.get<{ items: unknown[] }>('/v1/migrations/totals/log');
  expect(log.body.items).toContainEqual(expect.objectContaining({ acceptChange: 'a comment' }));
  await second.stop();
});

it('refuses what comes too early, before anything is touched', async () => {
  const service = await shop().start({ totals: TOTALS, tidy: TIDY });
  expect(await ask(service, 'revert')).toMatchObject(
    refused('MIGRATION_NOT_EXECUTED', 'nothing to undo'),
  );
  expect(await ask(service, 'cutover')).toMatchObject(refused('MIGRATION_NOT_READY', 'executed'));
  expect(await ask(service, 'execute', {}, 'tidy')).toMatchObject(
    refused('MIGRATION_NOT_READY', 'tidy depends on totals, which is not executed'),
  );
  await done(service, 'execute');
  expect(await ask(service, 'cleanup')).toMatchObject(
    refused('MIGRATION_NOT_READY', 'the cutover of totals has not been completed'),
  );
});

it('refuses options that cannot be kept, each with its name', async () => {
  const service = await shop().start({ totals: TOTALS });
  const options = { minBatchSize: 501, onFailure: 'revert', flow: { maxLoad: 5, criticalLoad: 5 } };
  expect(await ask(service, 'plan', options)).toMatchObject({
    status: 400,
    body: {
      code: 'REQUEST_INVALID',
      errors: [
        { pointer: '#/onFailure', detail: expect.stringContaining('execute, verify and cutover') },
        { pointer: '#/minBatchSize' },
        { pointer: '#/flow/criticalLoad' },
      ],
    },
  });
});

it('answers a command on the topic as it answers a request', async () => {
  const service = await shop().start({ totals: TOTALS });
  const asked = { run: 'm-1', migration: 'totals', action: 'plan', onFailure: 'revert' } as const;
  const command = exampleOf(RunMigration, asked, { at: Date.now() });
  await service.context.bus.publish([{ ...command, topic: 'migration.commands' }]);
  await eventually(() =>
    service
      .published('migration.events')
      .some(({ data }) => (data as { code?: string }).code === 'RUN_OPTIONS_CONTRADICT'),
  );
  expect((await service.get('/v1/runs/m-1')).status).toBe(404);
});

it('reverts by a run that executed, and by no other', async () => {
  const service = await shop().start({ totals: TOTALS });
  const plan = await done(service, 'plan');
  const reason = { reason: 'wrong totals' };
  expect(await service.post(`/v1/runs/${plan}/revert`, reason)).toMatchObject(
    refused('RUN_NOT_REVERTIBLE', 'is a plan'),
  );
  expect(await service.post('/v1/runs/m-none/revert', reason)).toMatchObject(
    refused('RUN_UNKNOWN', 'm-none', 404),
  );
  const execute = await done(service, 'execute');
  expect((await service.post(`/v1/runs/${execute}/revert`, {})).status).toBe(400);
  expect(await service.post(`/v1/runs/${execute}/revert`, reason)).toMatchObject({
    status: 201,
    body: { migration: 'totals', action: 'revert', reason: 'wrong totals' },
  });
});

it('goes from dry run to cleanup, and cannot be reverted from then on', async () => {
  const { start, totals } = shop();
  const service = await start({ totals: TOTALS, tidy: TIDY });
  for (const action of ['plan', 'execute', 'verify', 'cutover', 'cleanup'])
    await done(service, action);
  expect(totals()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(await ask(service, 'revert')).toMatchObject(
    refused('MIGRATION_NOT_READY', 'was given up by the cleanup'),
  );
  expect((await ask(service, 'execute', {}, 'tidy')).status).toBe(201);
});

it('is as if it had never been executed once it is reverted: its text may be another one', async () => {
  const { start, totals } = shop();
  const first = await start({ totals: TOTALS });
  await done(first, 'execute');
  await done(first, 'revert', { reason: 'wrong totals' });
  expect(totals()).toEqual(Array.from({ length: 7 }, () => null));
  expect((await logged(first)).slice(-2)).toEqual(['STARTED revert', 'ROLLED_BACK revert']);
  await first.stop();
  const second = await start({ totals: TOTALS.replace('order.price', '2 * order.price') });
  await done(second, 'execute');
  expect(totals()).toEqual([2, 4, 6, 8, 10, 12, 14]);
  await second.stop();
});

it('keeps a copy of what it quarantines, to be looked at', async () => {
  const service = await shop().start({
    totals: TOTALS.replace('order.price }', 'order.price === 4 ? undefined.x : order.price }'),
  });
  await done(service, 'execute', { onError: 'quarantine' });
  expect(await service.get('/v1/migrations/totals/quarantine')).toMatchObject({
    status: 200,
    body: {
      items: [{ key: 4, code: 'MIGRATION_UP_FAILED', document: { id: 4, price: 4, total: null } }],
    },
  });
  expect(await service.get('/v1/migrations/sums/quarantine')).toMatchObject({
    status: 404,
    body: { code: 'MIGRATION_UNKNOWN' },
  });
  const { body } = await service.get('/v1/migrations/totals/quarantine?limit=1');
  expect(
    await service.get(`/v1/migrations/totals/quarantine?after=${String(body['next'])}`),
  ).toMatchObject({
    body: { items: [] },
  });
});

it('undoes what it has changed when it is not right, where it was asked to', async () => {
  const { start, totals, database } = shop();
  const invariant = "invariants: [{ name: 'positive', holds: (o) => !(o.total < 0) }],\n};";
  const service = await start({ totals: TOTALS.replace(/};$/, invariant) });
  await done(service, 'execute');
  database.exec('UPDATE orders SET total = -1 WHERE id = 4');
  const verified = await ended(service, 'verify', { onFailure: 'revert' });
  expect(verified).toMatchObject({
    status: 'failed',
    code: 'MIGRATION_NOT_VERIFIED',
    message: expect.stringContaining('What it had changed is undone, but not 1 document.'),
    reverted: { changed: expect.any(Number) },
  });
  expect(totals().filter((total) => total === null).length).toBeGreaterThanOrEqual(6);
  expect((await logged(service)).slice(-3)).toEqual([
    'STARTED verify',
    'FAILED verify',
    'ROLLED_BACK verify',
  ]);
});
