import { expect } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { booleanFlag } from '../e2e/house.ts';
import type { ProcessWorld } from './process-world.ts';
import { listen } from './stream.sse.ts';
import { insist } from './told.ts';
import { FLAGS } from './world.ts';

/** A replica hangs between saving and publishing; another one kills the flag; then the first one goes on. */
export async function publishIsLate(world: ProcessWorld, flag: string): Promise<void> {
  const { broker, application } = world;
  const house = world.house();
  const [one, two] = [house.replica('flag-service/1'), house.replica('flag-service/2')];
  await using streams = new AsyncDisposableStack();
  const heard = [one, two].map(({ url }) => streams.use(listen(url, house.adminKey, flag)));
  await insist(house, 'PUT', 'flag-service', `${FLAGS}/${flag}`, booleanFlag(50));

  house.arm('flag-service', {
    point: 'execute.saved',
    document: `^flags/production/${flag}$`,
    nth: 1,
    signal: 'SIGSTOP',
  });
  const opening = house.askReplica<{ version: number }>(one.name, 'PUT', `${FLAGS}/${flag}`, {
    body: booleanFlag(100),
  });
  await eventually(() => one.hasFrozenItself(), 20_000);
  const killed = await house.askReplica<{ version: number }>(
    two.name,
    'POST',
    `${FLAGS}/${flag}/disable`,
    { body: { reason: 'Wrong prices.' } },
  );
  expect(killed.status).toBe(200);
  const isOff = (client: string): boolean =>
    application.seen[client]?.findLast(({ key }) => key === flag)?.isOpen === false;
  await eventually(() => isOff(two.name) && isOff('kafka'), 30_000);

  one.resume();
  const late = await opening;
  expect(late.body.version).toBeLessThan(killed.body.version);
  await eventually(() => isOff(one.name), 30_000);
  const records = async () =>
    (await broker.read('flag.state.production'))
      .filter(({ key }) => key === flag)
      .map(({ version }) => version);
  await eventually(async () => {
    const versions = await records();
    const wasLate = versions.lastIndexOf(late.body.version) > versions.indexOf(killed.body.version);
    if (!wasLate || versions.at(-1) !== killed.body.version)
      throw new Error(`The topic has the versions ${versions.join(', ')}.`);
    return true;
  }, 60_000);
  for (const { versions } of heard) expect(versions).toEqual([...new Set(versions)].sort(byValue));
}

const byValue = (a: number, b: number): number => a - b;
