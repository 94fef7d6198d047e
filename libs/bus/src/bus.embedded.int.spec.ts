import { describe } from '@jest/globals';
import { sequentialIds } from '@tidegate/kernel/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from '@jest/globals';
import { busContract, type BusUnderTest } from './bus.contract.ts';
import { openSqliteBus } from './bus.embedded.ts';
import type { DeliveryPolicy } from './delivery-policy.ts';
import { partitionOf } from './partition-of.ts';

describe('the embedded bus', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidegate-bus-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  let count = 0;

  busContract((policy) => {
    count += 1;
    return open(path.join(folder, `${count}.db`), policy);
  });
});

async function open(file: string, policy: Partial<DeliveryPolicy>): Promise<BusUnderTest> {
  const { bus, log } = openSqliteBus({
    file,
    clock: { now: Date.now },
    ids: sequentialIds(),
    source: 'bus',
    policy,
  });
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
