import { describe, expect, it } from '@jest/globals';
import { manualClock } from '@tidegate/kernel/testing';
import { documentsContract } from './documents.contract.ts';
import { executeContract } from './execute.contract.ts';
import { leasesContract } from './leases.contract.ts';
import { outboxContract } from './outbox.contract.ts';
import { projectionContract } from './projection.contract.ts';
import { type Open, storeContract } from './store.contract.ts';
import { memoryStore } from './store.memory.ts';

const open: Open = async () => {
  const clock = manualClock(1_000_000);
  const store = memoryStore({ clock });
  const { disk } = store;
  return {
    store,
    clock,
    reopen: async ({ raiseEpoch } = { raiseEpoch: false }) => {
      if (raiseEpoch) disk.epoch += 1;
      return memoryStore({ clock, disk });
    },
  };
};

describe('the memory store', () => {
  storeContract(open);
  documentsContract(open);
  projectionContract(open);
  leasesContract(open);
  executeContract(open);
  outboxContract(open);

  it('is out of reach while its disk is away, and then as it was', async () => {
    const store = memoryStore({ clock: manualClock() });
    const history = store.projection<number>('history');
    store.disk.away = true;
    const away = { code: 'STORE_UNREACHABLE', retryable: true };
    await expect(store.check()).rejects.toMatchObject(away);
    await expect(store.leases.claim('a', 'b', 1)).rejects.toMatchObject(away);
    await expect(
      history.append([{ id: 'a', version: 1, key: 'k', at: 0, record: 1 }]),
    ).rejects.toMatchObject(away);
    store.disk.away = false;
    await expect(store.check()).resolves.toBeUndefined();
    expect(await history.last('a')).toBeUndefined();
  });
});
