import { describe, expect, it } from '@jest/globals';
import { AppError } from '@tidegate/kernel';
import { manualClock } from '@tidegate/kernel/testing';
import type { Documents } from './documents.port.ts';
import { documentsContract } from './documents.contract.ts';
import { executeContract } from './execute.contract.ts';
import { noFaults } from './faults.port.ts';
import { leasesContract } from './leases.contract.ts';
import { outboxContract } from './outbox.contract.ts';
import { createOutbox, type OutboxFailure } from './outbox.handler.ts';
import { projectionContract } from './projection.contract.ts';
import { firstDeliveries, flags, type SampleFlag, setting } from './sample-flag.contract.ts';
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

  it('has published again what was published and could not be cleared, once in each round', async () => {
    const { start, ask, store, bus } = await setting(open);
    const { aggregate, run } = start();
    bus.down.add('*');
    for (let n = 0; n < 120; n += 1) await run(ask('SetExposure', `c-${n}`), `flag-${n}`);
    bus.down.clear();

    const documents: Documents<SampleFlag> = {
      name: 'flags',
      epoch: 1,
      load: (id) => aggregate.documents.load(id),
      save: (...save) => aggregate.documents.save(...save),
      owing: (limit) => aggregate.documents.owing(limit),
      list: (query) => aggregate.documents.list(query),
      claimDue: (...due) => aggregate.documents.claimDue(...due),
      clear: async () => {
        throw new AppError('STORE_UNREACHABLE', 'Away.', { retryable: true });
      },
    };
    const failures: OutboxFailure[] = [];
    const outbox = createOutbox({
      publish: bus.publish,
      faults: noFaults,
      onFailure: (failure) => failures.push(failure),
    });
    expect(await outbox.relay([documents])).toMatchObject({ failed: 0 });
    expect(await outbox.flush(documents, 'flag-1')).toBe(true);
    expect(failures[0]).toMatchObject({ doing: 'clear', error: { code: 'STORE_UNREACHABLE' } });
    const first = bus.published.length;
    expect(await outbox.relay([store.documents(flags)])).toEqual({ published: 120, failed: 0 });
    expect(bus.published.length).toBeGreaterThan(first);
    expect(firstDeliveries(bus.published, 'flag.events')).toHaveLength(240);
  });

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
