import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { RolloutHeld, RolloutResumed, RunMigration } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { migrationRunner } from '../index.ts';

jest.setTimeout(30_000);

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0).reverse()) each();
});

interface RunBody {
  readonly run: string;
  readonly status: string;
  readonly code?: string;
  readonly message?: string;
  readonly counts: { readonly changed: number };
  readonly throttled?: { readonly because: string; readonly message: string };
  readonly progress?: {
    readonly done: number;
    readonly expected?: number;
    readonly share?: number;
  };
}
type Flow = Readonly<Record<string, unknown>>;

const SPIN = '(() => { const end = performance.now() + 1; while (performance.now() < end); })()';

/** A runner with a table of so many orders for each of these migrations; `up` takes a millisecond where it is slow. */
async function runner(orders: number, ids: readonly string[] = ['totals'], isSlow = false) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-pacing-'));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'shop.db');
  const database = new DatabaseSync(file);
  cleanUp.push(() => database.close());
  database.exec('PRAGMA journal_mode = WAL');
  for (const id of ids) {
    database.exec(`CREATE TABLE ${id} (id INTEGER PRIMARY KEY, price, total); BEGIN`);
    const insert = database.prepare(`INSERT INTO ${id} (price) VALUES (1)`);
    for (let order = 1; order <= orders; order += 1) insert.run();
    database.exec('COMMIT');
    const up = `(${isSlow ? SPIN : '0'}, { ...order, total: order.price })`;
    writeFileSync(
      join(folder, `${id}.mjs`),
      `export default { id: '${id}', target: 'shop', collection: '${id}', pending: { total: { equals: null } },
        up: (order) => ${up}, down: (order) => ({ ...order, total: null }) };`,
    );
  }
  const env = {
    MIGRATIONS_DIR: folder,
    MIGRATION_TARGETS: `shop=sqlite:${file}`,
    MIGRATION_CHECK_MS: '50',
  };
  const service = await startTestService(migrationRunner, { env });
  return {
    service,
    start: async (flow: Flow, migration = 'totals'): Promise<string> => {
      const request = { migration, action: 'execute', batchSize: 200, ...flow };
      const { status, body } = await service.post<RunBody>('/v1/runs', request);
      expect(status).toBe(201);
      return body.run;
    },
    run: async (id: string) => (await service.get<RunBody>(`/v1/runs/${id}`)).body,
  };
}

const ended = (service: TestService, run: string): Promise<RunBody> =>
  eventually(async () => {
    const { body } = await service.get<RunBody>(`/v1/runs/${run}`);
    return body.status !== 'running' && body;
  }, 10_000) as Promise<RunBody>;

const throttledBy = (service: TestService, run: string, because: string): Promise<RunBody> =>
  eventually(async () => {
    const { body } = await service.get<RunBody>(`/v1/runs/${run}`);
    return body.throttled?.because === because && body;
  }) as Promise<RunBody>;

const typesOf = (service: TestService, run: string) =>
  service
    .published('migration.events')
    .filter(({ key, type }) => key === run && type !== 'MigrationCommandAnswered')
    .map(({ type }) => type);

async function probe() {
  const given = { status: 503 };
  const server = createServer((_request, response) => response.writeHead(given.status).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUp.push(() => server.close());
  return { given, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

describe('a run', () => {
  it('waits while its probe says no, shows why, and goes on by itself', async () => {
    const { service, start } = await runner(300);
    const { given, url } = await probe();
    const run = await start({ flow: { probe: url } });
    const waiting = await throttledBy(service, run, 'probe');
    expect(waiting).toMatchObject({ status: 'running', counts: { changed: 0 } });
    expect(waiting.throttled?.message).toMatch(/answered 503\.$/);
    given.status = 204;
    const done = await ended(service, run);
    expect(done).toMatchObject({ status: 'completed', counts: { changed: 300 } });
    expect(done.throttled).toBeUndefined();
    const types = typesOf(service, run);
    expect(types.filter((type) => type.endsWith('hrottled'))).toEqual([
      'MigrationThrottled',
      'MigrationUnthrottled',
    ]);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toMatch(
      /tidegate_migration_throttled_seconds_total\{[^}]*because="probe"[^}]*\}/,
    );
  });

  it('is paused and cancelled while it waits', async () => {
    const { service, start } = await runner(10);
    const { url } = await probe();
    const run = await start({ flow: { probe: url } });
    await throttledBy(service, run, 'probe');
    for (const [verb, status] of [
      ['pause', 'paused'],
      ['resume', 'running'],
      ['cancel', 'cancelled'],
    ]) {
      const { body } = await service.post<RunBody>(`/v1/runs/${run}/${verb}`, { reason: 'x' });
      expect(body.status).toBe(status);
    }
    expect((await service.get<RunBody>(`/v1/runs/${run}`)).body.counts.changed).toBe(0);
  });

  it('of a rollout waits while the guards of the rollout do', async () => {
    const { service, run: shown } = await runner(100);
    const { bus } = service.context;
    const event = (definition: typeof RolloutHeld | typeof RolloutResumed, version: number) => {
      const example = exampleOf(definition);
      return {
        ...example,
        data: { ...example.data, rollout: 'r-42' },
        metadata: { ...example.metadata, revision: { epoch: 1, version } },
        key: 'r-42',
        topic: 'rollout.events',
      };
    };
    await bus.publish([event(RolloutHeld, 7)]);
    await service.idle();
    const command = exampleOf(RunMigration);
    const data = {
      run: 'm-1',
      migration: 'totals',
      action: 'execute',
      rollout: { id: 'r-42', generation: 1 },
    };
    const { at: _at, ...metadata } = command.metadata;
    await bus.publish([
      {
        ...command,
        key: 'm-1',
        data,
        metadata: { ...metadata, at: Date.now() },
        topic: 'migration.commands',
      },
    ]);
    await service.idle();
    expect(await throttledBy(service, 'm-1', 'guard')).toMatchObject({
      throttled: { message: 'Rollout r-42 is held: error-rate has seen no requests.' },
    });
    await bus.publish([event(RolloutResumed, 8)]);
    await ended(service, 'm-1');
    expect(await shown('m-1')).toMatchObject({ status: 'completed', counts: { changed: 100 } });
  });

  it('that waits for its window keeps no place from others', async () => {
    const waiting = ['a', 'b', 'c', 'd', 'e'];
    const { service, start } = await runner(50, [...waiting, 'now']);
    const inHours = (hours: number) =>
      new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
    const window = { from: inHours(2), to: inHours(3), timeZone: 'UTC' };
    for (const id of waiting)
      await throttledBy(service, await start({ flow: { window } }, id), 'window');
    expect(await ended(service, await start({}, 'now'))).toMatchObject({ status: 'completed' });
  });

  it('with a limit on what its database does not tell fails before it writes', async () => {
    const { service, start } = await runner(50);
    const run = await ended(service, await start({ flow: { maxLagMs: 5_000 } }));
    expect(run).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_TARGET_UNSUPPORTED',
      message: expect.stringContaining('flow.maxLagMs cannot be kept'),
      counts: { changed: 0 },
    });
  });

  it('makes batches smaller that take too long, and says how far it is', async () => {
    const { service, start } = await runner(460, ['totals'], true);
    const run = await start({ minBatchSize: 5, flow: { targetBatchMs: 50 } });
    const done = await ended(service, run);
    expect(done.progress).toMatchObject({ done: 460, expected: 460, share: 1 });
    const sizes = service
      .published('migration.events')
      .filter(({ key, type }) => key === run && type === 'MigrationBatchApplied')
      .map(({ data }) => (data as { batchCounts: { matched: number } }).batchCounts.matched);
    expect(sizes[0]).toBe(200);
    // The second was read while the first was written.
    expect(Math.max(...sizes.slice(2))).toBeLessThan(50);
  });
});
