import { expect } from '@jest/globals';
import { isOver } from '../e2e/house.ts';
import { openTarget } from '../e2e/target.ts';
import { isNightly } from './nightly.ts';
import type { ProcessWorld } from './process-world.ts';
import { expectSound } from './sound.oracle.ts';
import { begin, breach, rolloutInTheEnd, watched } from './told.ts';
import { acknowledgedIsKept, startWriter } from './writer.ts';

const WRITE_EVERY_MS = 100;
const ROUNDS = isNightly ? 3 : 1;

const judged = (flag: string, scrape: string): string => `
plan: ${flag}
flag: ${flag}
checkEvery: 200ms
pageAfter: 10m
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
  - { stage: everyone, percentage: 100, hold: 400ms }
`;

/** Every process is stopped in order and started again, one after the other, while two rollouts are under way. */
export async function everyoneIsRestarted(
  world: ProcessWorld,
  { healthy, broken }: { readonly healthy: string; readonly broken: string },
): Promise<void> {
  const house = world.house();
  await using target = await openTarget(requests(0));
  await using writer = startWriter(world, WRITE_EVERY_MS);
  const good = await begin(house, healthy, judged(healthy, target.url));
  const bad = await begin(house, broken, watched(broken));
  for (const id of [good, bad]) await rolloutInTheEnd(house, id, ({ phase }) => phase === 'open');

  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const replica of house.replicas) {
      await replica.stop();
      await replica.start();
    }
    if (round === 1) await breach(house, bad);
  }
  expect(await rolloutInTheEnd(house, bad, isOver)).toMatchObject({ status: 'rolled-back' });
  // Nobody had used the canary until now.
  let count = 0;
  const using = setInterval(() => target.say(requests((count += 50))), 100);
  const ended = await rolloutInTheEnd(house, good, isOver).finally(() => clearInterval(using));
  expect(ended).toMatchObject({ status: 'completed', exposure: '100 %' });
  await writer.stop();
  await expectSound(world); // so the history is complete
  await acknowledgedIsKept(house, writer);
}

const requests = (count: number): string =>
  `# TYPE requests_total counter\nrequests_total{status="201"} ${count}\nrequests_total{status="500"} 0\n`;
