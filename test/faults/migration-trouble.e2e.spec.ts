import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { arm, reachedFile } from './armed-fault.ts';
import { MigrationHouse } from './migration-house.ts';
import { seeded, wrongOrders } from './migration.oracle.ts';
import { isNightly } from './nightly.ts';
import { type Database, drawn, openDatabases } from './orders.databases.ts';
import { openProxy } from './tcp-proxy.ts';

jest.setTimeout(isNightly ? 600_000 : 120_000);

const { databases, close } = await openDatabases();
afterAll(close);
const draw = drawn();

const ORDERS = 300;
const BATCH = 10;
const CUTS = isNightly ? 20 : 2;
const servers = databases.filter(({ server, open }) => server && open);
const whenThere = databases.filter(({ open }) => open);
const mongodb = databases.find(({ name }) => name === 'MongoDB')?.server;

async function opened({ open }: Pick<Database, 'open'>, address?: string) {
  const orders = await open!(address);
  await orders.seed(ORDERS);
  return orders;
}

describe.each(servers)('a migration of $name', ({ open, server }) => {
  it('does everything once while its connections are cut in the middle of a batch', async () => {
    await using proxy = await openProxy(String(server?.url));
    await using orders = await opened({ open }, proxy.url);
    await using house = new MigrationHouse(orders);
    await house.start();
    const run = await house.run({ action: 'execute', batchSize: BATCH });
    for (let cut = 1; cut <= CUTS; cut += 1) {
      proxy.cutAfter(Math.floor(draw() * 20_000));
      await eventually(
        async () => proxy.cuts >= cut || (await house.show(run)).status !== 'running',
        30_000,
      );
    }
    proxy.cutAfter(Infinity);
    expect(await house.ended(run)).toMatchObject({
      status: 'completed',
      counts: { changed: ORDERS, mismatched: 0 },
    });
    expect(proxy.cuts).toBeGreaterThan(0);
    expect(wrongOrders(seeded(ORDERS), await orders.all())).toEqual([]);
  });

  it('waits for a server that was killed, and goes on when it is back', async () => {
    await using orders = await opened({ open });
    await using house = new MigrationHouse(orders);
    await house.start();
    // Slow enough to be far from its end when the server dies.
    const slow = { batchSize: 2, flow: { niceRatio: 3 } };
    const run = await house.run({ action: 'execute', ...slow });
    await eventually(async () => (await house.show(run)).counts.changed > 0, 30_000);
    await server?.kill();
    try {
      await eventually(async () => (await house.show(run)).waitsFor !== undefined, 60_000);
    } finally {
      await server?.restart();
    }
    expect(await house.ended(run)).toMatchObject({
      status: 'completed',
      counts: { changed: ORDERS, mismatched: 0 },
    });
    expect(wrongOrders(seeded(ORDERS), await orders.all())).toEqual([]);
  });
});

describe.each(whenThere)('a migration of $name', ({ open }) => {
  const picky = `up: (order) => {
    if (order.items === 3) throw new Error('no');
    const total = order.items === 4 ? -1 : order.items * order.price;
    return { ...order, total, generation: order.generation + 1, doc: { ...order.doc, state: 'new' } };
  },`;
  const isGood = (id: number): boolean => id % 7 !== 3 && id % 7 !== 4;
  const bad = Array.from({ length: ORDERS }, (_, index) => index + 1).filter((id) => !isGood(id));

  it('leaves documents that cannot be migrated, as it was told to, and lists them', async () => {
    await using orders = await opened({ open });
    await using house = new MigrationHouse(orders, { extra: picky });
    await house.start();
    const stopped = await house.run({ action: 'execute', batchSize: BATCH });
    expect(await house.ended(stopped)).toMatchObject({
      status: 'failed',
      code: 'MIGRATION_UP_FAILED',
      counts: { changed: 0 },
    });
    expect(wrongOrders(seeded(ORDERS), await orders.all(), () => false)).toEqual([]);
    const run = await house.run({
      action: 'execute',
      batchSize: BATCH,
      onError: draw() < 0.5 ? 'skip' : 'quarantine',
      maxErrors: 1_000,
    });
    const body = await house.ended(run);
    expect(body).toMatchObject({
      status: 'completed',
      counts: { changed: ORDERS - bad.length, failed: bad.length },
    });
    expect(body?.failures?.map(({ key }) => key)).toEqual(bad);
    expect(wrongOrders(seeded(ORDERS), await orders.all(), isGood)).toEqual([]);
  });
});

describe.each(whenThere.filter(() => mongodb))('two runners of $name', ({ open }) => {
  it('do everything once, where one was frozen in a batch, is replaced, and goes on later', async () => {
    await using orders = await opened({ open });
    const env = { STORE_URL: `${mongodb?.url}-${Date.now()}` };
    await using frozen = new MigrationHouse(orders, { env });
    await using other = new MigrationHouse(orders, { env });
    await frozen.start();
    const point = draw() < 0.5 ? 'batch.journaled' : 'batch.written';
    arm(frozen.faultFile, { point, document: '', nth: 3, signal: 'SIGSTOP' });
    const run = await frozen.run({ action: 'execute', batchSize: BATCH });
    await eventually(() => isStopped(frozen), 30_000);
    // For whoever comes now all leases have run out: the clock jumped.
    await other.start(65_000);
    await eventually(async () => (await other.show(run)).counts.changed > ORDERS / 2, 120_000);
    frozen.program.signal('SIGCONT');
    expect(await other.ended(run)).toMatchObject({
      status: 'completed',
      counts: { changed: ORDERS, mismatched: 0 },
    });
    expect(wrongOrders(seeded(ORDERS), await orders.all())).toEqual([]);
    const back = await other.run({ action: 'revert', batchSize: BATCH });
    expect(await other.ended(back)).toMatchObject({ status: 'completed', counts: { failed: 0 } });
    expect(wrongOrders(seeded(ORDERS), await orders.all(), () => false)).toEqual([]);
  });
});

const isStopped = (house: MigrationHouse): boolean =>
  existsSync(reachedFile(house.faultFile, Number(house.program.process.pid)));

it('a migration goes no further than its way back, where there is no room for more, and on when there is', async () => {
  const [sqlite] = databases;
  await using orders = await opened(sqlite as Database);
  const history = seeded(ORDERS);
  for (const [id, deeds] of history) {
    const deed = { kind: 'note', note: randomBytes(12_000).toString('base64') } as const;
    await orders.do(id, deed);
    deeds.push(deed);
  }
  const env = { MIGRATION_BACKUP_MAX_BYTES: String(2 ** 20) };
  await using small = new MigrationHouse(orders, { env });
  await small.start();
  const run = await small.run({ action: 'execute', batchSize: BATCH });
  const full = await eventually(async () => {
    const body = await small.show(run);
    return body.throttled?.because === 'backup-full' && body;
  }, 30_000);
  const done = [...(await orders.all()).values()].filter(({ total }) => total !== null);
  expect(done).toHaveLength((full as { counts: { changed: number } }).counts.changed);
  expect(done.length).toBeGreaterThan(0);
  expect(done.length).toBeLessThan(ORDERS);
  await small.program.kill();
  await small.restart({ MIGRATION_BACKUP_MAX_BYTES: String(2 ** 30) });
  expect(await small.ended(run)).toMatchObject({
    status: 'completed',
    counts: { changed: ORDERS },
  });
  expect(wrongOrders(history, await orders.all())).toEqual([]);
});

it('a migration waits where the disk of its own store is full, and loses no way back', async () => {
  const [sqlite] = databases;
  await using orders = await opened(sqlite as Database);
  await using house = new MigrationHouse(orders, { fileKilobytes: 700 });
  await house.start();
  const run = await house.run({ action: 'execute', batchSize: 2 });
  await eventually(() => /a run waits|working on a run failed/.test(house.log), 60_000);
  await house.program.kill();
  await house.restart({}, Infinity);
  expect(await house.ended(run)).toMatchObject({
    status: 'completed',
    counts: { changed: ORDERS, mismatched: 0 },
  });
  expect(wrongOrders(seeded(ORDERS), await orders.all())).toEqual([]);
  const back = await house.run({ action: 'revert' });
  expect(await house.ended(back)).toMatchObject({ status: 'completed', counts: { failed: 0 } });
  expect(wrongOrders(seeded(ORDERS), await orders.all(), () => false)).toEqual([]);
});
