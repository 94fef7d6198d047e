import { DatabaseSync } from 'node:sqlite';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { isOver, rolloutOf, rolloutUntil, startRollout } from '../e2e/house.ts';
import { archived, distinct, historyOf } from './evidence.ts';
import { isNightly } from './nightly.ts';
import { isWrong, type Order } from './orders.sqlite.ts';
import { seeded } from './random.ts';
import { exampleIsCurrent, openWorld, patiently, type World } from './world.ts';
import { acknowledgedIsKept, startWriter, type Writer } from './writer.ts';

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? (isNightly ? 5 : 1));
const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 100_000);
const ORDERS = 1_000;

jest.setTimeout(180_000);

/** The demo's plans, with short stages, small batches, and the example where it runs now. */
const demoPlan = (name: string, url: string): string =>
  readFileSync(`deploy/plans/${name}.yaml`, 'utf8')
    .replaceAll('http://127.0.0.1:7410', url)
    .replaceAll('500ms', '200ms')
    .replaceAll('hold: 4s', 'hold: 800ms')
    .replaceAll('detect: 8%', 'detect: 20%')
    .replace('batchSize: 200', 'batchSize: 10');

/** Nothing but a breach ends it. */
const COMPLAINED =
  'plan: complained\nflag: banner\nsteps:\n  - { stage: all, percentage: 100, hold: 1h }\n';

/** Killed while the data are migrated, and in the middle of a stage: it is completed all the same. */
async function healthyRollout(world: World, random: () => number): Promise<void> {
  const { house, example, killAndStart } = world;
  const id = await startRollout(house(), 'demo-healthy', demoPlan('demo-healthy', example.url));
  await patiently(async () => {
    const { body } = await house().ask<{ items: { counts: { changed: number } }[] }>(
      'GET',
      'migration-runner',
      '/v1/runs',
    );
    return (body.items[0]?.counts.changed ?? 0) > random() * 0.8 * ORDERS;
  });
  expect((await rolloutOf(house(), id)).step).toBe('order-totals/execute');
  await killAndStart();
  const stage = random() < 0.5 ? 'canary' : 'half';
  await rolloutUntil(house(), id, ({ step }) => step === stage);
  await wait(random() * 800);
  await killAndStart();
  await rolloutUntil(house(), id, isOver, 40_000);
  expect(await rolloutOf(house(), id)).toMatchObject({ status: 'completed', exposure: '100 %' });
}

/** Killed just when it has decided: everybody does what was decided. */
async function brokenRollout(world: World, random: () => number): Promise<void> {
  const { house, example, killAndStart } = world;
  await fetch(`${example.url}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ feature: 'payment', newPathErrorRate: 0.5 }),
  });
  const id = await startRollout(house(), 'demo-broken', demoPlan('demo-broken', example.url));
  await rolloutUntil(house(), id, ({ rollback }) => rollback !== undefined);
  await wait(random() * 15);
  await killAndStart();
  await rolloutUntil(house(), id, isOver, 40_000);
  expect(await rolloutOf(house(), id)).toMatchObject({
    status: 'rolled-back',
    exposure: '0 %',
    rollback: { reason: 'error-rate-too-high' },
  });
}

/** Killed while a breach is on its way. Who was not answered tells it again, and it counts once. */
async function breachedRollout(world: World, random: () => number): Promise<void> {
  const { house, killAndStart } = world;
  const id = await startRollout(house(), 'complained', COMPLAINED);
  await rolloutUntil(house(), id, ({ phase }) => phase === 'open');
  const tell = () =>
    house().ask('POST', 'metrics-gatekeeper', '/v1/breaches', {
      body: {
        environment: 'production',
        rollout: id,
        guard: 'complaints',
        message: 'Five complaints in ten minutes.',
        fingerprint: 'complaints-1',
        startsAt: Date.now(),
      },
      headers: { 'idempotency-key': id },
    });
  const told = tell().then(
    ({ status }) => status,
    () => undefined, // killed before it was answered
  );
  await wait(random() * 15);
  await killAndStart();
  if ((await told) === undefined) expect((await tell()).status).toBe(202);
  await rolloutUntil(house(), id, isOver, 20_000);
  const { body } = await house().ask<{ items: { type: string }[] }>(
    'GET',
    'metrics-gatekeeper',
    `/v1/rollouts/${id}/decisions?limit=200`,
  );
  const begun = body.items.filter(({ type }) => type === 'RollbackStarted');
  expect(begun).toHaveLength(1);
}

/** Everything that was published has reached everyone, and nothing was given up. */
async function settled({ house }: World): Promise<void> {
  await eventually(async () => {
    const { body } = await house().ask<{ items: { group: string; records: number }[] }>(
      'GET',
      'flag-service',
      '/v1/bus/lag',
    );
    const behind = body.items.filter(({ records }) => records > 0);
    if (behind.length > 0) throw new Error(`Behind: ${JSON.stringify(behind)}`);
    return true;
  }, 15_000);
  const letters = await house().ask('GET', 'flag-service', '/v1/bus/dead-letters');
  expect(letters.body).toEqual({ items: [] });
}

async function auditIsProven({ house, folder }: World): Promise<void> {
  const sealed = await house().ask<{ waiting: number }>(
    'POST',
    'audit-sink',
    '/v1/seals?drainMs=10000',
  );
  expect(sealed).toMatchObject({ status: 200, body: { waiting: 0 } });
  const verified = await house().tidegate('audit', 'verify', `${folder}/audit/archive`);
  expect(verified).toMatchObject({ code: 0 });
}

/** State and archive agree: each version of each flag was told by exactly one message. */
async function flagsAreReconciled({ house, folder }: World, writer: Writer): Promise<void> {
  const told = distinct(archived(folder)).filter(
    ({ topic, type }) => topic === 'flag.events' && !type.includes('command-answered'),
  );
  for (const flag of ['checkout-v2', 'express-pay', 'banner', 'bystander']) {
    const versions = told
      .filter(({ key }) => key === `production/${flag}`)
      .map(({ version }) => version)
      .sort((a, b) => a - b);
    const history = await historyOf(house(), flag);
    expect(versions).toEqual(versions.map((_version, index) => index + 1));
    expect(history.map(({ version }) => version)).toEqual(versions);
  }
  await acknowledgedIsKept(house(), writer);
}

/** Whoever had to be told was: repeats, if any, say that they are. */
async function notificationsAreDelivered({ house, receiver }: World): Promise<void> {
  const list = async (status: string) => {
    const { body } = await house().ask<{ items: { title: string; severity: string }[] }>(
      'GET',
      'notifier',
      `/v1/notifications?limit=200&status=${status}`,
    );
    return body.items;
  };
  await eventually(async () => (await list('waiting')).length === 0, 15_000);
  expect(await list('given-up')).toEqual([]);
  expect(receiver.unsigned).toBe(0);
  const told = new Map(receiver.deliveries.map((each) => [each.id, each]));
  expect(told.size).toBe((await list('delivered')).length);
  const titles = [...told.values()].map(({ title }) => title);
  for (const title of [
    'demo-healthy in production is completed',
    'demo-broken in production is being rolled back',
    'demo-broken in production is rolled back',
    'complained in production is rolled back',
  ])
    expect(titles.filter((each) => each === title)).toEqual([title]);
}

/** No order was left out, and none was computed from what was computed. */
function ordersAreMigrated({ example }: World): void {
  const database = new DatabaseSync(example.database, { readOnly: true });
  const orders = database.prepare('SELECT * FROM orders').all() as unknown as Order[];
  database.close();
  const wrong = orders.filter((each) => (each.total === null ? each.id <= ORDERS : isWrong(each)));
  expect(orders.length).toBeGreaterThan(ORDERS);
  expect(wrong).toEqual([]);
}

describe('standalone that is killed and started again', () => {
  it.each(Array.from({ length: ROUNDS }, (_, round) => SEED + round))(
    'ends every rollout as it should, loses nothing and proves it (FAULT_SEED=%i)',
    async (seed) => {
      const random = seeded(seed);
      await using world = await openWorld(ORDERS);
      await using writer = startWriter(world);
      await healthyRollout(world, random);
      await brokenRollout(world, random);
      await breachedRollout(world, random);
      await writer.stop();
      expect(writer.unanswered).toBeGreaterThan(0);
      await exampleIsCurrent(world);
      await notificationsAreDelivered(world);
      await settled(world);
      await auditIsProven(world);
      await flagsAreReconciled(world, writer);
      ordersAreMigrated(world);
      world.house().program.signal('SIGINT');
      expect(await world.house().program.ended()).toBe(0);
    },
  );
});
