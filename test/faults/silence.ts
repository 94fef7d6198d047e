import { expect } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import type { ProcessWorld } from './process-world.ts';
import { begin, insist, rolledBackOnce, rolloutInTheEnd } from './told.ts';

/** The shortest silence that a plan may ask for is half a minute, and whoever listens takes its time. */
const CLOSED_WITHIN_MS = 120_000;

const closing = (flag: string): string => `
plan: ${flag}
flag: ${flag}
steps:
  - { stage: all, percentage: 100, hold: 1h, closeIfSilentFor: 30s }
`;

/** Nobody looks after the rollout any more: its stage closes itself, and a person takes it back once somebody does. */
export async function gatekeepersAreKilled(world: ProcessWorld, flag: string): Promise<void> {
  const { application } = world;
  const house = world.house();
  const id = await begin(house, flag, closing(flag));
  await rolloutInTheEnd(house, id, ({ phase }) => phase === 'open');
  const isOpen = Object.values(application.clients).map(
    (client) => () => client.boolean(flag, false, { targetingKey: 'ada' }),
  );
  await eventually(() => isOpen.every((each) => each()), 30_000);

  const gatekeepers = house.replicasOf('metrics-gatekeeper');
  await Promise.all(gatekeepers.map((each) => each.kill()));
  await eventually(() => !isOpen.some((each) => each()), CLOSED_WITHIN_MS);
  await Promise.all(gatekeepers.map((each) => each.start()));

  const paused = await rolloutInTheEnd(house, id, ({ status }) => status === 'paused');
  expect(paused).toMatchObject({ step: 'all' });
  await insist(house, 'POST', 'metrics-gatekeeper', `/v1/rollouts/${id}/rollback`, {
    reason: 'Nobody looked after it.',
  });
  await rolledBackOnce(house, id);
}
