import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import type { Tidegate } from '@tidegate/sdk';
import { archived, distinct } from '../faults/evidence.ts';
import { mustHaveServers } from '../servers/servers.ts';
import { findProgram } from '../servers/tools.ts';
import { booleanFlag, expectOk, isOver, rolloutOf, rolloutUntil, startRollout } from './house.ts';
import { temporaryFolder } from './process.ts';
import { openReceiver, type Receiver } from './receiver.ts';
import {
  distributedSystem,
  embeddedSystem,
  type System,
  type SystemOptions,
} from './restored-systems.ts';
import { openTarget, type Target } from './target.ts';

jest.setTimeout(240_000);

const ORDERS = 1_500;
const FLAGS = '/v1/environments/production/flags';

const plan = (flag: string, scrape: string) => `
plan: ${flag}
flag: ${flag}
checkEvery: 200ms
pageAfter: 5s
metrics:
  errors:
    type: ratio
    source: { scrape: ['${scrape}'] }
    bad: { metric: requests_total, where: { status: '500' } }
    total: { metric: requests_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 5%, detect: 30% }
steps:
  - { stage: canary, percentage: 10, hold: 1h }
  - { stage: half, percentage: 50, hold: 1h }
  - { stage: everyone, percentage: 100, hold: 400ms }
`;

/** Counters of a healthy service under load. */
function underLoad(target: Target): NodeJS.Timeout {
  let requests = 0;
  return setInterval(() => {
    requests += 100;
    const line = (status: number, count: number) => `requests_total{status="${status}"} ${count}\n`;
    target.say(`# TYPE requests_total counter\n${line(201, requests)}${line(500, 0)}`);
  }, 50);
}

/** Orders of the old shape, and how often each was written since. */
function openOrders(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE orders (
      id INTEGER PRIMARY KEY, items TEXT NOT NULL, discount INTEGER NOT NULL, total INTEGER
    );
    CREATE TABLE writes (id INTEGER PRIMARY KEY, count INTEGER NOT NULL);
    CREATE TRIGGER written AFTER UPDATE ON orders BEGIN
      INSERT INTO writes VALUES (NEW.id, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1;
    END;
    BEGIN;
  `);
  const insert = database.prepare('INSERT INTO orders VALUES (?, ?, 0, NULL)');
  for (let id = 1; id <= ORDERS; id += 1)
    insert.run(id, JSON.stringify([{ price: id, quantity: 2 }]));
  database.exec('COMMIT');
  return database;
}

/** What one application was answered: whether `pay` was ever on after it was killed. */
function watch(client: Tidegate) {
  let isKilled = false;
  let wasOnAgain = false;
  const isOn = (): boolean => client.boolean('pay', false, { targetingKey: 'ada' });
  client.onChange('*', () => {
    if (isKilled && isOn()) wasOnAgain = true;
  });
  return {
    client,
    isOn,
    killed: () => void (isKilled = true),
    wasOnAgain: () => wasOnAgain,
  };
}

class Drill {
  readonly system: System;
  readonly receiver: Receiver;
  readonly orders: DatabaseSync;
  readonly scrape: string;
  readonly rollouts: Record<string, string> = {};
  apps: ReturnType<typeof watch>[] = [];
  run = '';
  seal = '';

  constructor(system: System, receiver: Receiver, orders: DatabaseSync, scrape: string) {
    this.system = system;
    this.receiver = receiver;
    this.orders = orders;
    this.scrape = scrape;
  }

  ask = async <T = Record<string, unknown>>(
    method: string,
    service: string,
    path: string,
    body?: unknown,
  ): Promise<T> => {
    const answer = await this.system.ask<T>(method, service, path, { body });
    expectOk(answer);
    return answer.body;
  };

  flag = async (key: string, environment = 'production') => {
    const path = `/v1/environments/${environment}/flags/${key}`;
    const { status, body } = await this.system.ask<{
      epoch: number;
      flag: {
        definition: { exposure: { percentage: number } };
        disabled?: { reason: string };
        hold?: unknown;
      };
    }>('GET', 'flag-service', path);
    const { flag } = body;
    return status === 404
      ? 'none'
      : {
          percentage: flag.definition.exposure.percentage,
          disabled: flag.disabled?.reason,
          isHeld: flag.hold !== undefined,
        };
  };

  set = (key: string, percentage: number, environment = 'production') =>
    this.ask(
      'PUT',
      'flag-service',
      `/v1/environments/${environment}/flags/${key}`,
      booleanFlag(percentage),
    );

  start = async (flag: string) => {
    this.rollouts[flag] = await startRollout(this.system, flag, plan(flag, this.scrape));
  };

  rollout = (flag: string) => rolloutOf(this.system, this.rollouts[flag]!);
  until = (flag: string, isSo: Parameters<typeof rolloutUntil>[2]) =>
    rolloutUntil(this.system, this.rollouts[flag]!, isSo, 30_000);
  person = (flag: string, verb: string) =>
    this.ask('POST', 'metrics-gatekeeper', `/v1/rollouts/${this.rollouts[flag]}/${verb}`, {
      reason: `drill: ${verb}`,
    });

  isOpen = (flag: string, step: string) =>
    this.until(flag, (each) => each.step === step && each.phase === 'open');

  migration = () =>
    this.ask<{
      status: string;
      counts: { changed: number };
      paused?: { reason: string };
      reason?: string;
    }>('GET', 'migration-runner', `/v1/runs/${this.run}`);
  left = (): number =>
    Number(
      this.orders.prepare('SELECT count(*) AS n FROM orders WHERE total IS NULL').get()?.['n'],
    );

  /** Seals what is in the log, and remembers the seal as somebody outside would. */
  async sealAll(): Promise<void> {
    const { seal } = await this.ask<{ seal: { size: number; root: string } }>(
      'POST',
      'audit-sink',
      '/v1/seals?drainMs=10000',
    );
    this.seal = `${seal.root}:${seal.size}`;
  }

  async verified(): Promise<Record<string, unknown>> {
    const { archive, tidegate } = this.system;
    const args = ['audit', 'verify', archive, '--json', '--expect-seal', this.seal];
    const { code, output } = await tidegate(...args);
    expect({ code, output }).toMatchObject({ code: 0 });
    return JSON.parse(output) as Record<string, unknown>;
  }

  isCurrent = () =>
    eventually(async () => {
      const { digest } = await this.ask<{ digest: string }>(
        'GET',
        'flag-service',
        '/v1/environments/production/snapshot',
      );
      const held = this.apps.map(({ client }) => client.status);
      if (held.some((each) => each.digest !== digest || each.state !== 'ready'))
        throw new Error(`flag-service is at ${digest}, applications at ${JSON.stringify(held)}`);
      return true;
    }, 30_000);
}

const missing = ['java'].filter((name) => !findProgram(name));
const hasServers = missing.length === 0 || mustHaveServers();
if (!hasServers) process.stderr.write(`SKIPPED the restored store on Kafka: no java\n`);

const systems: [name: string, open: (options: SystemOptions) => Promise<System>][] = [
  ['on the embedded drivers', embeddedSystem],
  ...(hasServers ? ([['on Kafka and MongoDB', distributedSystem]] as const) : []).map(
    ([name, open]): [string, typeof distributedSystem] => [name, open],
  ),
];

describe.each(systems)('an older backup of the store is put back %s', (_name, open) => {
  const opened = new AsyncDisposableStack();
  let drill: Drill;
  afterAll(() => opened.disposeAsync());

  it('first: work that the backup has', async () => {
    const target = opened.use(await openTarget());
    const timer = underLoad(target);
    opened.defer(() => clearInterval(timer));
    const receiver = opened.use(await openReceiver());
    const database = join(temporaryFolder(), 'checkout.db');
    const orders = openOrders(database);
    opened.defer(() => orders.close());
    const env = {
      ...receiver.environment,
      MIGRATIONS_DIR: 'examples/checkout/migrations',
      MIGRATION_TARGETS: `checkout=sqlite:${database}`,
    };
    drill = new Drill(opened.use(await open({ env })), receiver, orders, target.url);
    const { system, set, ask } = drill;
    await system.start();
    await ask('PUT', 'flag-service', '/v1/environments/production', {});
    for (const key of ['pay', 'old', 'calm']) await set(key, 100);
    for (const key of ['undone', 'through', 'steady']) {
      await set(key, 0);
      await drill.start(key);
    }
    for (const key of ['undone', 'through', 'steady']) await drill.isOpen(key, 'canary');
    drill.apps = (await system.clients()).map(watch);
    opened.defer(
      async () => void (await Promise.all(drill.apps.map(({ client }) => client.close()))),
    );
    await drill.isCurrent();
    expect(drill.apps.every(({ isOn }) => isOn())).toBe(true);
    const { run } = await ask<{ run: string }>('POST', 'migration-runner', '/v1/runs', {
      migration: 'order-totals',
      action: 'execute',
      batchSize: 5,
    });
    drill.run = run;
    await eventually(() => drill.left() < ORDERS - 50, 20_000);
    await system.stop();
    expect(drill.left()).toBeGreaterThan(0);
    await system.backUp();
  });

  it('then: work that it lacks, until everything dies', async () => {
    const { system, set, ask, person, until } = drill;
    await system.start();
    await ask('POST', 'flag-service', `${FLAGS}/pay/disable`, { reason: 'pays twice' });
    await eventually(() => drill.apps.every(({ isOn }) => !isOn()), 20_000);
    for (const app of drill.apps) app.killed();
    await ask('DELETE', 'flag-service', `${FLAGS}/old?reason=done`);
    await set('fresh', 30);
    await set('brief', 30);
    await ask('DELETE', 'flag-service', `${FLAGS}/brief?reason=done`);
    await ask('PUT', 'flag-service', '/v1/environments/staging', {});
    await set('pilot', 20, 'staging');
    await person('undone', 'promote');
    await drill.isOpen('undone', 'half');
    await person('undone', 'rollback');
    expect(await until('undone', isOver)).toMatchObject({ status: 'rolled-back' });
    await person('through', 'promote');
    await drill.isOpen('through', 'half');
    await person('through', 'promote');
    expect(await until('through', isOver)).toMatchObject({ status: 'completed' });
    await eventually(() => drill.left() < ORDERS / 2, 60_000);
    await drill.sealAll();
    await set('fresh', 40); // recorded, and never sealed
    await eventually(async () => {
      const { items } = await ask<{ items: unknown[] }>(
        'GET',
        'audit-sink',
        '/v1/records?type=tidegate.flag.changed.v1',
      );
      return JSON.stringify(items).includes('production/fresh');
    }, 10_000);
    await system.crash();
    await drill.verified();
  });

  it('is refused, with the command that helps', async () => {
    const { system } = drill;
    await system.putBack();
    for (const refusal of await system.refusals()) {
      expect(refusal).toContain('An older backup of the store was put back');
      expect(refusal).toContain('tidegate store restored');
    }
    const look = await system.tidegate('store', 'restored');
    expect(look).toMatchObject({ code: 1, output: expect.stringContaining('Add --yes') });
    const raised = await system.tidegate('store', 'restored', '--yes', '--json');
    expect(JSON.parse(raised.output)).toMatchObject({ epoch: 2, raised: true });
    await system.start();
  });

  it('brings back every flag as it was served last, and shows the killed one to nobody', async () => {
    const { flag, apps } = drill;
    await drill.isCurrent();
    expect(await flag('pay')).toMatchObject({ disabled: 'pays twice', percentage: 100 });
    expect(await flag('old')).toBe('none');
    expect(await flag('brief')).toBe('none');
    expect(await flag('calm')).toMatchObject({ percentage: 100 });
    expect(await flag('fresh')).toMatchObject({ percentage: 40 });
    expect(await flag('pilot', 'staging')).toMatchObject({ percentage: 20 });
    expect(await flag('undone')).toEqual({ percentage: 0, disabled: undefined, isHeld: false });
    expect(await flag('through')).toEqual({ percentage: 100, disabled: undefined, isHeld: false });
    expect(await flag('steady')).toEqual({ percentage: 10, disabled: undefined, isHeld: true });
    expect(apps.map(({ isOn, wasOnAgain }) => [isOn(), wasOnAgain()])).toEqual(
      apps.map(() => [false, false]),
    );
    await eventually(async () => {
      const { items } = await drill.ask<{ items: Record<string, unknown>[] }>(
        'GET',
        'flag-service',
        `${FLAGS}/pay/history?limit=1`,
      );
      expect(items).toMatchObject([
        {
          type: 'FlagRecovered',
          by: 'flag-service',
          reason: 'recovered from the state topic after an older backup was put back',
        },
      ]);
      return true;
    }, 10_000);
  });

  it('pauses what was under way, pages, and does as people then say', async () => {
    const { receiver, flag, person, rollout, until } = drill;
    for (const key of ['undone', 'through', 'steady']) {
      expect(await rollout(key)).toMatchObject({
        status: 'paused',
        paused: { by: 'metrics-gatekeeper', reason: expect.stringContaining('store-restored') },
      });
      await eventually(
        () =>
          receiver.deliveries.some(
            ({ severity, title, text }) =>
              severity === 'critical' &&
              title === `${key} in production is paused` &&
              text.includes('store-restored'),
          ),
        20_000,
      );
    }
    await person('undone', 'rollback');
    expect(await until('undone', isOver)).toMatchObject({ status: 'rolled-back' });
    expect(await flag('undone')).toMatchObject({ percentage: 0, isHeld: false });
    await person('through', 'abort');
    expect(await until('through', isOver)).toMatchObject({ status: 'aborted' });
    expect(await flag('through')).toMatchObject({ percentage: 100, isHeld: false });
    await person('steady', 'resume');
    await drill.isOpen('steady', 'canary');
    await eventually(() => person('steady', 'promote'), 10_000); // refused until the flag has answered
    await drill.isOpen('steady', 'half');
    await person('steady', 'promote');
    expect(await until('steady', isOver)).toMatchObject({ status: 'completed' });
    await eventually(async () => {
      expect(await flag('steady')).toMatchObject({ percentage: 100, isHeld: false });
      return true;
    }, 10_000);
  });

  it('goes on with the migration where it is pending, and writes no document twice', async () => {
    const { ask, migration, orders, run } = drill;
    expect(await migration()).toMatchObject({ status: 'paused' });
    await ask('POST', 'migration-runner', `/v1/runs/${run}/resume`, { reason: 'drill' });
    await eventually(async () => (await migration()).status === 'completed', 60_000);
    expect(drill.left()).toBe(0);
    const written = orders
      .prepare('SELECT count(*) AS orders, max(count) AS most FROM writes')
      .get();
    expect({ ...written }).toEqual({ orders: ORDERS, most: 1 });
  });

  it('goes on working', async () => {
    const { set, flag } = drill;
    await set('next', 0);
    await drill.start('next');
    await drill.isOpen('next', 'canary');
    for (const step of ['half', 'everyone']) {
      await drill.person('next', 'promote');
      if (step === 'half') await drill.isOpen('next', step);
    }
    expect(await drill.until('next', isOver)).toMatchObject({ status: 'completed' });
    expect(await flag('next')).toMatchObject({ percentage: 100 });
    await drill.isCurrent();
    const letters = await drill.ask('GET', 'flag-service', '/v1/bus/dead-letters');
    expect(letters).toEqual({ items: [] });
  });

  it('has an archive that goes on from the one before, with everything in it once', async () => {
    const { system } = drill;
    const before = readdirSync(join(system.archive, 'seals')).length;
    await system.stop();
    expect(readdirSync(join(system.archive, 'seals')).length).toBeGreaterThan(before - 1);
    const report = await drill.verified();
    expect(report).toMatchObject({ proven: true, sealExpected: true, gaps: 0, unsealedFiles: 0 });
    const records = archived(join(system.archive, '..', '..'));
    expect(records.length).toBe(distinct(records).length);
    const about = (type: string, flag: string) =>
      records.filter((each) => each.type === type && each.key === `production/${flag}`).length;
    expect(about('tidegate.flag.disabled.v1', 'pay')).toBe(1);
    expect(about('tidegate.flag.deleted.v1', 'old')).toBe(1);
    expect(about('tidegate.flag.changed.v1', 'fresh')).toBe(1);
    expect(about('tidegate.flag.recovered.v1', 'pay')).toBe(1);
  });
});
