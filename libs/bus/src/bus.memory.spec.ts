import { describe } from '@jest/globals';
import { sequentialIds } from '@tidegate/kernel/testing';
import { busContract, type BusUnderTest } from './bus.contract.ts';
import { memoryBus } from './bus.memory.ts';
import type { DeliveryPolicy } from './delivery-policy.ts';
import { MemoryFile } from './log.memory.ts';
import { partitionOf } from './partition-of.ts';

describe('the bus in memory', () => {
  busContract((policy) => open(new MemoryFile(), policy));
});

async function open(file: MemoryFile, policy: Partial<DeliveryPolicy>): Promise<BusUnderTest> {
  const bus = memoryBus({ clock: { now: Date.now }, ids: sequentialIds(), file, policy });
  const { log } = bus;
  return {
    bus,
    inject: (topic, records) =>
      log.append(
        records.map((record) => ({
          topic,
          partition: partitionOf(record.key, log.partitions(topic)),
          record,
        })),
      ),
    kill: () => {
      bus.abandon();
      return open(file, policy);
    },
    reopen: () => open(file, policy),
  };
}
