import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { freePort } from '../servers/process.ts';
import { makeFlags, openHouse, rolloutUntil, type Standalone, startRollout } from './house.ts';
import { temporaryFolder } from './process.ts';
import { openTarget } from './target.ts';

jest.setTimeout(60_000);

const ORDERS = 4_000;
const folder = temporaryFolder();
const file = join(folder, 'shop.db');
let house: Standalone;
const cleanUp: (() => Promise<void>)[] = [];

interface Run {
  readonly run: string;
  readonly status: string;
  readonly counts: { readonly changed: number };
  readonly throttled?: { readonly because: string; readonly message: string };
}

const plan = (scrape: string) => `
plan: totals
flag: totals
checkEvery: 200ms
pageAfter: 1s
metrics:
  errors:
    type: ratio
    source: { scrape: ['${scrape}'] }
    bad: { metric: requests_total, where: { status: '500' } }
    total: { metric: requests_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 5%, detect: 30% }
steps:
  - { stage: canary, percentage: 10, hold: 400ms }
  - { migrate: totals, action: execute, batchSize: 100 }
  - { stage: everyone, percentage: 100, hold: 400ms }
`;

/** A service under load that can be gone for a while. */
async function service() {
  const port = await freePort();
  let requests = 0;
  const open = async () => {
    const target = await openTarget('', port);
    const count = (): void => {
      requests += 100;
      target.say(
        `# TYPE requests_total counter\nrequests_total{status="201"} ${requests}\nrequests_total{status="500"} 0\n`,
      );
    };
    count();
    const timer = setInterval(count, 50);
    let closed: PromiseLike<void> | undefined;
    const close = async (): Promise<void> => {
      clearInterval(timer);
      closed ??= target[Symbol.asyncDispose]();
      await closed;
    };
    cleanUp.push(close);
    return close;
  };
  return { url: `http://127.0.0.1:${port}/metrics`, open };
}

beforeAll(async () => {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE orders (id INTEGER PRIMARY KEY, total)');
  database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ORDERS})
    INSERT INTO orders (id) SELECT i FROM n`);
  database.close();
  const spin = '(() => { const end = performance.now() + 1; while (performance.now() < end); })()';
  writeFileSync(
    join(folder, 'totals.mjs'),
    `export default { id: 'totals', target: 'shop', collection: 'orders', pending: { total: { equals: null } },
      up: (order) => (${spin}, { ...order, total: 1 }), down: (order) => ({ ...order, total: null }) };`,
  );
  house = await openHouse({
    DATA_DIR: join(folder, 'data'),
    MIGRATIONS_DIR: folder,
    MIGRATION_TARGETS: `shop=sqlite:${file}`,
    MIGRATION_CHECK_MS: '50',
  });
  await makeFlags(house, 'totals');
});
afterAll(async () => {
  for (const close of cleanUp) await close();
  await house.program.kill();
});

it('a migration waits while its rollout cannot see, and ends when it can again', async () => {
  const { url, open } = await service();
  const close = await open();
  const rollout = await startRollout(house, 'totals', plan(url));
  const run = async (): Promise<Run | undefined> =>
    (await house.ask<{ items: Run[] }>('GET', 'migration-runner', '/v1/runs')).body.items[0];
  await eventually(async () => ((await run())?.counts.changed ?? 0) > 0, 15_000);
  await close();
  const waiting = await eventually(async () => {
    const now = await run();
    return now?.throttled?.because === 'guard' && now;
  }, 15_000);
  expect(waiting).toMatchObject({
    status: 'running',
    throttled: { message: expect.stringMatching(/^Rollout \S+ is held: error-rate: /) },
  });
  expect(waiting && waiting.counts.changed).toBeLessThan(ORDERS);
  await open();
  await rolloutUntil(house, rollout, ({ status }) => status === 'completed', 30_000);
  expect(await run()).toMatchObject({ status: 'completed', counts: { changed: ORDERS } });
});
