import { setTimeout as wait } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { booleanFlag } from '../e2e/house.ts';
import { isNightly } from './nightly.ts';
import { serviceNames } from './process-house.ts';
import type { ProcessWorld } from './process-world.ts';
import { begin, breach, insist, rolledBackOnce, rolloutInTheEnd, watched } from './told.ts';
import { FLAGS } from './world.ts';

const BROKER_AWAY_MS = isNightly ? 60_000 : 10_000;
const STORE_AWAY_MS = isNightly ? 30_000 : 8_000;
/** Of the clients of flag-service while the broker is away. */
const SEEN_WITHIN_MS = 20_000;
const PAGED_WITHIN_MS = 60_000;

const killed = { reason: 'Wrong prices.' };

/** Every service has told whoever is on call, past what is away. */
function everyonePages(
  { pager }: ProcessWorld,
  condition: 'bus-away' | 'store-away',
  status: 'firing' | 'resolved',
  since: number,
): Promise<boolean> {
  return eventually(() => {
    const labels = pager.deliveries.slice(since).map((page) => page.labels);
    const told = labels.filter((each) => each['condition'] === condition);
    const by = new Set(told.flatMap((each) => (each['status'] === status ? each['service'] : [])));
    const missing = serviceNames.filter((service) => !by.has(service));
    if (missing.length > 0) throw new Error(`${condition} is not ${status}: ${missing.join(', ')}`);
    return true;
  }, PAGED_WITHIN_MS);
}

async function opened({ house }: ProcessWorld, flag: string): Promise<string> {
  const id = await begin(house(), flag, watched(flag));
  await rolloutInTheEnd(house(), id, ({ phase }) => phase === 'open');
  return id;
}

/** The broker is killed and started again while a breach is on its way. */
export async function brokerIsKilled(world: ProcessWorld, flag: string): Promise<void> {
  const { kafka } = world.house().servers;
  const id = await opened(world, flag);
  const told = breach(world.house(), id);
  await kafka.kill();
  await kafka.restart();
  await told;
  await rolledBackOnce(world.house(), id);
}

/** Every service pages directly while the broker is away, and a person kills a flag over HTTP; the rollout beside it hears of its breach afterwards. */
export async function brokerIsAway(
  world: ProcessWorld,
  flag: string,
  toKill: string,
): Promise<void> {
  const { application, broker, pager } = world;
  const house = world.house();
  const id = await opened(world, flag);
  await insist(house, 'PUT', 'flag-service', `${FLAGS}/${toKill}`, booleanFlag(100));
  const isOff = (client: string) => !isOpenFor(application.clients[client], toKill);
  await eventually(() => Object.keys(application.clients).every((each) => !isOff(each)), 30_000);

  const pages = pager.deliveries.length;
  await house.servers.kafka.kill();
  const since = performance.now();
  const answer = await house.askReplica('flag-service/1', 'POST', `${FLAGS}/${toKill}/disable`, {
    body: killed,
  });
  expect(answer).toMatchObject({ status: 200, body: { published: false } });
  await eventually(() => isOff('flag-service/1') && isOff('flag-service/2'), SEEN_WITHIN_MS);
  const told = breach(house, id);
  await everyonePages(world, 'bus-away', 'firing', pages);
  await wait(Math.max(0, BROKER_AWAY_MS - (performance.now() - since)));

  await house.servers.kafka.restart();
  await told;
  await rolledBackOnce(world.house(), id);
  await everyonePages(world, 'bus-away', 'resolved', pages);
  await eventually(() => isOff('kafka'), 60_000);
  const { body } = await house.ask<{ version: number }>(
    'GET',
    'flag-service',
    `${FLAGS}/${toKill}`,
  );
  const records = await broker.read('flag.state.production');
  const last = records.findLast(({ key }) => key === toKill);
  expect(last?.version).toBe(body.version);
}

const isOpenFor = (
  client: ProcessWorld['application']['clients'][string] | undefined,
  flag: string,
): boolean => client?.boolean(flag, false, { targetingKey: 'ada' }) ?? false;

/** The store is killed in the middle of a stage: flags are served all the same, and nothing is acknowledged. */
export async function storeIsAway(world: ProcessWorld, flag: string): Promise<void> {
  const house = world.house();
  const { mongodb } = house.servers;
  const id = await opened(world, flag);
  const pages = world.pager.deliveries.length;
  await mongodb.kill();
  const since = performance.now();
  const told = breach(house, id);
  const path = `${FLAGS}/${flag}/disable`;
  const refused = await house.ask('POST', 'flag-service', path, { body: killed });
  expect(refused).toMatchObject({ status: 503, body: { code: 'STORE_UNREACHABLE' } });
  for (const { name } of house.replicasOf('flag-service')) {
    const served = await house.askReplica(name, 'GET', '/v1/environments/production/snapshot');
    expect(served.status).toBe(200);
  }
  await everyonePages(world, 'store-away', 'firing', pages);
  await wait(Math.max(0, STORE_AWAY_MS - (performance.now() - since)));
  await mongodb.restart();
  await told;
  await everyonePages(world, 'store-away', 'resolved', pages);
  await rolledBackOnce(world.house(), id);
}
