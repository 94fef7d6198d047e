import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryBus } from '@tidegate/bus/testing';
import { PauseMigration, RunMigration } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import { randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { memoryStore } from '@tidegate/store/testing';
import { migrationRunner } from '../index.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0).reverse()) each();
});

interface RunBody {
  run: string;
  status: string;
  counts: { changed: number; matched: number; mismatched: number };
  code?: string;
  message?: string;
  checkpoint?: number;
  report?: Record<string, unknown>;
  waitsFor?: { reason: string; message: string };
}

const ALWAYS_RIGHT = 'o.total === null || o.total === o.items * o.price';

const definition = (up: string, holds = ALWAYS_RIGHT, id = 'order-totals'): string => `
export default {
  id: '${id}', target: 'checkout', collection: 'orders',
  pending: { total: { equals: null } },
  up: (order) => ${up},
  invariants: [{ name: 'total-is-price', holds: (o) => ${holds} }],
};`;
const GOOD = '({ ...order, total: order.items * order.price })';
/** Takes a millisecond. */
const SPIN = `(() => { const end = performance.now() + 1; while (performance.now() < end); })()`;
const SLOW = `(${SPIN}, ${GOOD})`;

/** A shop's database with so many orders without a total, and a folder with the migration. */
function shop(orders: number, up = GOOD, holds = ALWAYS_RIGHT) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-shop-'));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'shop.db');
  const database = new DatabaseSync(file);
  cleanUp.push(() => database.close());
  database.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER PRIMARY KEY, items, price, total, note); BEGIN',
  );
  const insert = database.prepare('INSERT INTO orders (items, price) VALUES (?, ?)');
  for (let order = 1; order <= orders; order += 1) insert.run(order % 7, 100 + (order % 13));
  database.exec('COMMIT');
  writeFileSync(join(folder, 'order-totals.mjs'), definition(up, holds));
  return {
    database,
    env: {
      MIGRATIONS_DIR: folder,
      MIGRATION_TARGETS: `checkout=sqlite:${file}`,
      MIGRATION_CHECK_MS: '50',
    },
    left: () =>
      Number(database.prepare('SELECT count(*) n FROM orders WHERE total IS NULL').get()?.['n']),
    wrong: () =>
      Number(
        database.prepare('SELECT count(*) n FROM orders WHERE total <> items * price').get()?.['n'],
      ),
  };
}

const start = async (service: TestService, body: Record<string, unknown>): Promise<string> => {
  const { status, body: run } = await service.post<RunBody>('/v1/runs', {
    migration: 'order-totals',
    ...body,
  });
  expect(status).toBe(201);
  return run.run;
};
const ended = (service: TestService, run: string): Promise<RunBody> =>
  eventually(async () => {
    const { body } = await service.get<RunBody>(`/v1/runs/${run}`);
    return body.status !== 'running' && body;
  }, 10_000) as Promise<RunBody>;

describe('a migration', () => {
  it('is planned without changing anything, with counts, samples and the index', async () => {
    const { env, left } = shop(120);
    const service = await startTestService(migrationRunner, { env });
    const run = await ended(service, await start(service, { action: 'plan' }));
    expect(run).toMatchObject({ status: 'completed', counts: { changed: 0 } });
    const { body } = await service.get(`/v1/runs/${run.run}/report`);
    expect(body).toMatchObject({
      status: 'completed',
      matched: 120,
      pending: 120,
      wouldChange: 120,
      fields: { total: 120 },
      failed: 0,
      index: 'none',
      samples: expect.arrayContaining([
        expect.objectContaining({ before: expect.objectContaining({ total: null }) }),
      ]),
    });
    expect(left()).toBe(120);
  });

  it('is executed in batches, and each of them is an event', async () => {
    const { env, left, wrong } = shop(1_000);
    const service = await startTestService(migrationRunner, { env });
    const run = await ended(service, await start(service, { action: 'execute', batchSize: 200 }));
    expect(run).toMatchObject({ status: 'completed', counts: { changed: 1_000 } });
    expect([left(), wrong()]).toEqual([0, 0]);
    const events = service.published('migration.events').filter(({ key }) => key === run.run);
    expect(events.map(({ type }) => type)).toEqual([
      'MigrationStarted',
      'MigrationCommandAnswered',
      'MigrationMeasured',
      ...Array.from({ length: 5 }, () => 'MigrationBatchApplied'),
      'MigrationSweepEnded',
      'MigrationCompleted',
    ]);
    const verified = await ended(
      service,
      await start(service, { action: 'verify', sampleSize: 50 }),
    );
    expect(verified).toMatchObject({ status: 'completed', report: { pending: 0, checked: 50 } });
  });

  it('changes nothing the second time', async () => {
    const { env } = shop(10);
    const service = await startTestService(migrationRunner, { env });
    await ended(service, await start(service, { action: 'execute' }));
    const again = await ended(service, await start(service, { action: 'execute' }));
    expect(again).toMatchObject({ status: 'completed', counts: { changed: 0 } });
  });

  it('stops before the batch in which up breaks its promise, and says at which document', async () => {
    const { env, left } = shop(300, '(order.id === 250 ? { ...order, total: -1 } : ' + GOOD + ')');
    const service = await startTestService(migrationRunner, { env });
    const run = await ended(service, await start(service, { action: 'execute', batchSize: 100 }));
    expect(run).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_INVARIANT_BROKEN',
      message: expect.stringContaining('orders 250'),
      counts: { changed: 200 },
    });
    expect(left()).toBe(100);
  });

  it('fails a verification, and says what is pending and which samples break an invariant', async () => {
    const { env, database } = shop(10);
    const service = await startTestService(migrationRunner, { env });
    database.exec('UPDATE orders SET total = -1 WHERE id IN (4, 8)');
    const { run } = await ended(service, await start(service, { action: 'verify' }));
    const { status, body } = await service.get(`/v1/runs/${run}/report`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_NOT_VERIFIED',
      message:
        '8 of 10 documents are still pending. 2 of 10 documents break an invariant (total-is-price): 4, 8.',
      verdict: 'no-go',
      mismatches: expect.arrayContaining([{ key: 4, problem: 'breaks total-is-price' }]),
    });
    const markdown = await service.get(`/v1/runs/${run}/report?format=markdown`);
    expect(markdown.text.split('\n').slice(0, 5)).toEqual([
      '# order-totals: verify',
      '',
      '**No go.** Not verified: 8 of 10 documents pending; every one was looked at.',
      '',
      '- **Stop**: 8 of 10 documents are still pending.',
    ]);
    expect(markdown.text).toContain(`- run: \`${run}\``);
  });

  it.each([
    [
      'CREATE TABLE orders (id, items, price, total, note)',
      'orders has a document whose id is null',
    ],
    ['CREATE TABLE orders (id, items, price, total, note)', 'id is neither text nor a number', 'x'],
  ])('stops where a document has no usable key: %s, %s', async (table, message, blob = '') => {
    const { env, database } = shop(0);
    database.exec(`DROP TABLE orders; ${table}`);
    const key = blob === '' ? null : new TextEncoder().encode(blob);
    database.prepare('INSERT INTO orders (id, items, price) VALUES (?, 1, 1)').run(key);
    const service = await startTestService(migrationRunner, { env });
    const run = await ended(service, await start(service, { action: 'execute' }));
    expect(run).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_KEY_UNUSABLE',
      message: expect.stringContaining(message),
    });
  });

  it('does not transform again what somebody completed while it ran', async () => {
    const { env, database, wrong } = shop(400, SLOW);
    const service = await startTestService(migrationRunner, { env });
    const run = await start(service, { action: 'execute', batchSize: 400 });
    // The batch is read by now and is written when all of it has been transformed.
    await service.get(`/v1/runs/${run}`);
    database.exec(
      `UPDATE orders SET total = 7 WHERE id = 350; UPDATE orders SET note = 'n' WHERE id = 300`,
    );
    expect(await ended(service, run)).toMatchObject({
      status: 'completed',
      counts: { matched: 400, changed: 399, mismatched: 1 },
    });
    expect(wrong()).toBe(1);
  });

  it('goes on at its checkpoint with another runner, and transforms nothing twice', async () => {
    const { env, left, wrong } = shop(
      400,
      `(${SPIN}, { ...order, total: order.items * order.price, note: (order.note ?? "") + "x" })`,
    );
    const clock = systemClock;
    const bus = memoryBus({ clock, ids: randomIds });
    const store = memoryStore({ clock });
    const first = await startTestService(migrationRunner, { env, bus, store });
    const run = await start(first, { action: 'execute', batchSize: 20 });
    await eventually(() => left() < 400);
    await first.post(`/v1/runs/${run}/pause`, { reason: 'to stop it in the middle' });
    await first.stop();
    expect(left()).toBeGreaterThan(0);
    const second = await startTestService(migrationRunner, { env, bus, store });
    const paused = await second.get<RunBody>(`/v1/runs/${run}`);
    expect(paused.body).toMatchObject({ status: 'paused', checkpoint: expect.any(Number) });
    await second.post(`/v1/runs/${run}/resume`, { reason: 'go on' });
    expect(await ended(second, run)).toMatchObject({
      status: 'completed',
      counts: { changed: 400, mismatched: 0 },
    });
    expect([left(), wrong()]).toEqual([0, 0]);
    await second.stop();
    await bus.close();
  });

  it('never overwrites an edit that is made while it runs', async () => {
    const { env, database, left } = shop(3_000);
    const service = await startTestService(migrationRunner, { env });
    const run = await start(service, { action: 'execute', batchSize: 50 });
    const edit = database.prepare('UPDATE orders SET note = ? WHERE id = ?');
    for (let id = 3_000; id > 0; id -= 7) {
      edit.run(`edited ${id}`, id);
      if (id % 100 < 7) await new Promise(setImmediate);
    }
    expect(await ended(service, run)).toMatchObject({ status: 'completed' });
    expect(left()).toBe(0);
    const kept = database
      .prepare(`SELECT count(*) n FROM orders WHERE note = 'edited ' || id`)
      .get();
    expect(Number(kept?.['n'])).toBe(Math.ceil(3_000 / 7));
  });
});

describe('a long run', () => {
  it.each(['plan', 'execute', 'verify'])(
    'leaves the process time for others: %s',
    async (action) => {
      const { env } = shop(2_000, SLOW, `${SPIN} === undefined`);
      const service = await startTestService(migrationRunner, { env });
      const run = await start(service, { action, sampleSize: 2_000, batchSize: 2_000 });
      for (let asked = 0; asked < 20; asked += 1)
        expect((await service.get<RunBody>(`/v1/runs/${run}`)).body.status).toBe('running');
      await service.post(`/v1/runs/${run}/cancel`, { reason: 'seen enough' });
    },
  );

  it('does not keep another migration waiting', async () => {
    const { env } = shop(5_000, SLOW);
    writeFileSync(join(env.MIGRATIONS_DIR, 'other.mjs'), definition(GOOD, ALWAYS_RIGHT, 'other'));
    const service = await startTestService(migrationRunner, { env });
    const long = await start(service, { action: 'plan' });
    const short = await start(service, { migration: 'other', action: 'plan' });
    expect(await ended(service, short)).toMatchObject({ status: 'completed' });
    expect((await service.get<RunBody>(`/v1/runs/${long}`)).body.status).toBe('running');
    await service.post(`/v1/runs/${long}/cancel`, { reason: 'seen enough' });
  });

  it('lets no other run of its migration write, keeps one that reads waiting, and says so', async () => {
    const { env } = shop(5_000, SLOW);
    const service = await startTestService(migrationRunner, { env });
    const first = await start(service, { action: 'execute', batchSize: 50 });
    await eventually(async () => {
      const { body } = await service.get<RunBody>(`/v1/runs/${first}`);
      return body.counts.changed > 0;
    });
    const again = { migration: 'order-totals', action: 'execute' };
    expect(await service.post('/v1/runs', again)).toMatchObject({
      status: 409,
      body: { code: 'MIGRATION_BUSY', detail: expect.stringContaining(first) },
    });
    const second = await start(service, { action: 'plan' });
    await eventually(async () => {
      const { body } = await service.get<RunBody>(`/v1/runs/${second}`);
      return body.waitsFor?.reason === 'lease-held';
    });
    await service.post(`/v1/runs/${first}/pause`, { reason: 'let the other one go' });
    await eventually(async () => {
      const { body } = await service.get<RunBody>(`/v1/runs/${second}`);
      return body.status === 'completed' || body.waitsFor === undefined;
    });
    await service.post(`/v1/runs/${second}/cancel`, { reason: 'seen enough' });
  });

  it('stops between two documents when the service stops, and leaves the rest to the next', async () => {
    const { env, left } = shop(5_000, SLOW);
    const bus = memoryBus({ clock: systemClock, ids: randomIds });
    const store = memoryStore({ clock: systemClock });
    const first = await startTestService(migrationRunner, { env, bus, store });
    const run = await start(first, { action: 'execute', batchSize: 100 });
    await eventually(() => left() < 5_000);
    const stopping = performance.now();
    await first.stop();
    expect(performance.now() - stopping).toBeLessThan(5_000);
    expect(left()).toBeGreaterThan(1_000);
    const second = await startTestService(migrationRunner, { env, bus, store });
    const before = left();
    await eventually(() => left() < before);
    await second.post(`/v1/runs/${run}/cancel`, { reason: 'seen enough' });
    await second.stop();
    await bus.close();
  });

  it('can be paused while it plans, and planned from the start after that', async () => {
    const { env } = shop(300, SLOW);
    const service = await startTestService(migrationRunner, { env });
    const run = await start(service, { action: 'plan' });
    await service.post(`/v1/runs/${run}/pause`, { reason: 'not now' });
    expect((await service.get<RunBody>(`/v1/runs/${run}`)).body.status).toBe('paused');
    await service.post(`/v1/runs/${run}/resume`, { reason: 'now' });
    expect(await ended(service, run)).toMatchObject({
      status: 'completed',
      report: { wouldChange: 300 },
    });
  });

  it('makes room for another run as soon as it is paused while it plans', async () => {
    const { env } = shop(20_000, SLOW);
    const service = await startTestService(migrationRunner, { env });
    const plan = await start(service, { action: 'plan' });
    await service.post(`/v1/runs/${plan}/pause`, { reason: 'first things first' });
    const execute = await start(service, { action: 'execute', batchSize: 20 });
    await eventually(async () => {
      const { body } = await service.get<RunBody>(`/v1/runs/${execute}`);
      return body.counts.changed > 0;
    });
    await service.post(`/v1/runs/${execute}/cancel`, { reason: 'seen enough' });
  });

  it('waits for a database that is not there, and says so', async () => {
    const { env } = shop(3);
    const file = join(env.MIGRATIONS_DIR, 'later.db');
    const service = await startTestService(migrationRunner, {
      env: { ...env, MIGRATION_TARGETS: `checkout=sqlite:${file}` },
    });
    const run = await start(service, { action: 'execute' });
    await eventually(async () => {
      const { body } = await service.get<RunBody>(`/v1/runs/${run}`);
      return body.waitsFor?.reason === 'MIGRATION_TARGET_UNREACHABLE';
    });
    const database = new DatabaseSync(file);
    cleanUp.push(() => database.close());
    database.exec(`BEGIN; CREATE TABLE orders (id INTEGER PRIMARY KEY, items, price, total);
      INSERT INTO orders (items, price) VALUES (1, 1); COMMIT`);
    expect(await ended(service, run)).toMatchObject({ status: 'completed' });
  });
});

describe('commands and requests', () => {
  it('starts one run for a command that is delivered twice, and answers it', async () => {
    const { env } = shop(5);
    const service = await startTestService(migrationRunner, { env });
    const command = exampleOf(RunMigration, { run: 'm-1' }, { at: Date.now() });
    const outgoing = { ...command, topic: 'migration.commands' };
    await service.context.bus.publish([outgoing, outgoing]);
    await service.idle();
    const answers = service
      .published('migration.events')
      .filter(({ type }) => type === 'MigrationCommandAnswered');
    expect(answers).toHaveLength(1);
    expect(answers).toMatchObject([{ data: { run: 'm-1', outcome: 'changed' } }]);
  });

  it('answers a command about a run that does not exist', async () => {
    const service = await startTestService(migrationRunner, {});
    await service.context.bus.publish([
      { ...exampleOf(PauseMigration, { run: 'm-9' }), topic: 'kills' },
    ]);
    await eventually(() =>
      service
        .published('migration.events')
        .some(({ data }) => (data as { code?: string }).code === 'RUN_UNKNOWN'),
    );
  });

  it('gives the same run for the same Idempotency-Key', async () => {
    const { env } = shop(5);
    const service = await startTestService(migrationRunner, { env });
    const body = { migration: 'order-totals', action: 'plan' };
    const key = { 'idempotency-key': 'k-1' };
    const first = await service.post<RunBody>('/v1/runs', body, key);
    const second = await service.post<RunBody>('/v1/runs', body, key);
    expect(second.body.run).toBe(first.body.run);
    expect((await service.get<{ items: unknown[] }>('/v1/runs')).body.items).toHaveLength(1);
  });

  it.each([
    [{ migration: 'nothing', action: 'plan' }, 404, 'MIGRATION_UNKNOWN'],
    [{ migration: 'order-totals', action: 'explode' }, 400, undefined],
    [{ migration: 'order-totals', action: 'execute', batchSize: 0 }, 400, undefined],
    [{ migration: 'order-totals', action: 'execute', batchsize: 5 }, 400, undefined],
  ])('refuses %j', async (body, status, code) => {
    const { env } = shop(1);
    const service = await startTestService(migrationRunner, { env });
    const answer = await service.post('/v1/runs', body);
    expect(answer.status).toBe(status);
    if (code !== undefined) expect(answer.body['code']).toBe(code);
  });

  it('needs an operator', async () => {
    const service = await startTestService(migrationRunner, {});
    const body = { migration: 'order-totals', action: 'plan' };
    expect((await service.as('viewer').post('/v1/runs', body)).status).toBe(403);
    expect((await service.anonymous().get('/v1/migrations')).status).toBe(401);
  });
});

it.each([
  ['export default { id: "Bad One" }', 'bad.mjs: id: expected lower-case words'],
  ['\n\nthrow new Error("boom")', 'bad.mjs:3: boom'],
  ['export default {', 'bad.mjs: Unexpected'],
])('does not start with an unusable migration, and names what is wrong: %s', async (text, why) => {
  const { env } = shop(1);
  writeFileSync(join(env.MIGRATIONS_DIR, 'bad.mjs'), text);
  await expect(startTestService(migrationRunner, { env })).rejects.toMatchObject({
    code: 'MIGRATION_FILE_INVALID',
    message: expect.stringContaining(why),
  });
});

it.each([
  [{ MIGRATIONS_DIR: '/nowhere' }, 'MIGRATIONS_DIR /nowhere cannot be read'],
  [{ MIGRATION_TARGETS: 'a=mysql://u:secret@h' }, 'MIGRATION_TARGETS: "a=…" is not a database'],
  [{ MIGRATION_TARGETS: 'a=env:A_URL' }, 'A_URL, which is to hold the address of a, is not set'],
  [
    { MIGRATION_TARGETS: 'b=sqlite:x,a=env:A_URL', A_URL: 'mysql://u:secret@h' },
    'A_URL, which is to hold the address of a, is not sqlite:<file>, postgres://… or mongodb://…',
  ],
  [{ MIGRATION_TARGETS: 'orders.db' }, 'MIGRATION_TARGETS: "orders.db" is not a database'],
  [{ MIGRATION_TARGETS: 'a=sqlite:x,a=sqlite:y' }, 'MIGRATION_TARGETS: the name a is there twice'],
  [
    { MIGRATION_SNAPSHOTS: 'a=https://u:secret@h, b=ftp://u:secret@h' },
    'MIGRATION_SNAPSHOTS: "b=…" is not a webhook: expected name=https://…',
  ],
  [{ MIGRATION_SNAPSHOTS: 'a=https://h,secrets' }, 'MIGRATION_SNAPSHOTS: "a=…" is not a webhook'],
  [
    { MIGRATION_SNAPSHOTS: 'a=http://h,a=http://i' },
    'MIGRATION_SNAPSHOTS: the name a is there twice',
  ],
])('does not start with %j, and says what is wrong', async (env, why) => {
  const start = startTestService(migrationRunner, { env: { ...shop(1).env, ...env } });
  await expect(start).rejects.toThrow(why);
  await expect(start).rejects.not.toThrow('secret');
});
