import { setTimeout as wait } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { booleanFlag } from '../e2e/house.ts';
import { isNightly } from './nightly.ts';
import type { ProcessWorld } from './process-world.ts';
import { begin, breach, insist, rolledBackOnce, rolloutInTheEnd, watched } from './told.ts';
import { FLAGS } from './world.ts';

const BROKER_AWAY_MS = isNightly ? 60_000 : 10_000;
const STORE_AWAY_MS = isNightly ? 30_000 : 8_000;
/** Of the clients of flag-service while the broker is away. */
const SEEN_WITHIN_MS = 20_000;

const killed = { reason: 'Wrong prices.' };

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

/** A person kills a flag over HTTP while the broker is away; the rollout beside it hears of its breach afterwards. */
export async function brokerIsAway(
  world: ProcessWorld,
  flag: string,
  toKill: string,
): Promise<void> {
  const { application, broker } = world;
  const house = world.house();
  const id = await opened(world, flag);
  await insist(house, 'PUT', 'flag-service', `${FLAGS}/${toKill}`, booleanFlag(100));
  const isOff = (client: string) => !isOpenFor(application.clients[client], toKill);
  await eventually(() => Object.keys(application.clients).every((each) => !isOff(each)), 30_000);

  await house.servers.kafka.kill();
  const since = performance.now();
  const answer = await house.askReplica('flag-service/1', 'POST', `${FLAGS}/${toKill}/disable`, {
    body: killed,
  });
  expect(answer).toMatchObject({ status: 200, body: { published: false } });
  await eventually(() => isOff('flag-service/1') && isOff('flag-service/2'), SEEN_WITHIN_MS);
  const told = breach(house, id);
  await wait(Math.max(0, BROKER_AWAY_MS - (performance.now() - since)));

  await house.servers.kafka.restart();
  await told;
  await rolledBackOnce(world.house(), id);
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
  await wait(Math.max(0, STORE_AWAY_MS - (performance.now() - since)));
  await mongodb.restart();
  await told;
  await rolledBackOnce(world.house(), id);
}
