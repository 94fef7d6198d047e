import { expect } from '@jest/globals';
import { archived } from './evidence.ts';
import { serviceNames } from './process-house.ts';
import type { ProcessWorld } from './process-world.ts';
import { expectSound } from './sound.oracle.ts';

/** What nobody writes to by the clock. */
const isQuiet = (topic: string): boolean =>
  !topic.endsWith('heartbeats') && topic !== 'audit.seals';

/**
 * Every group is given everything again that there ever was. The audit log tells a repeat from another message at the
 * same offset by what its group keeps beside the offset, so that is left to it.
 */
export async function everythingComesAgain(world: ProcessWorld): Promise<void> {
  const { broker, receiver, folder } = world;
  const house = world.house();
  await expectSound(world);
  const before = await broker.ends();
  const deliveries = receiver.deliveries.length;
  const records = archived(folder).length;
  const groups = await broker.groups();

  await Promise.all(house.replicas.map((each) => each.stop()));
  await Promise.all(
    groups
      .filter(isOfService)
      .map((group) => broker.rewind(group, group === 'audit-sink' ? 'uncommitted' : 'reset')),
  );
  const rewound = await broker.behind();
  expect(new Set(rewound.map(({ group }) => group)).size).toBeGreaterThan(serviceNames.length);
  await Promise.all(house.replicas.map((each) => each.start()));

  await expectSound(world); // everything is handled
  const after = await broker.ends();
  for (const topic of Object.keys(after).filter(isQuiet))
    expect({ topic, records: after[topic] }).toEqual({ topic, records: before[topic] });
  expect(receiver.deliveries).toHaveLength(deliveries);
  expect(archived(folder)).toHaveLength(records);
}

const isOfService = (group: string): boolean =>
  serviceNames.some((service) => group === service || group.startsWith(`${service}.`));
