import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@tidegate/kernel';
import { restoresOf } from './restores.handler.ts';
import type { Store } from './store.port.ts';

/** A fresh, empty store. Whoever makes one cleans it up after the test. */
export interface OpenStore {
  readonly store: Store;
  readonly clock: Clock & { advance(ms: number): void };
  /** Ends the process that has it and opens what it left; after an operator raised the epoch, if asked. */
  reopen(options?: { raiseEpoch: boolean }): Promise<Store>;
  /** One process at a time can have it: what the one before had leased is free. */
  readonly isExclusive?: boolean;
}
export type Open = () => Promise<OpenStore>;

export function storeContract(open: Open): void {
  describe('a store', () => {
    it('says that it works', async () => {
      const { store } = await open();
      await expect(store.check()).resolves.toBeUndefined();
    });

    it('begins with epoch 1, and an operator can raise it', async () => {
      const { store, reopen } = await open();
      expect(store.epoch).toBe(1);
      expect((await reopen({ raiseEpoch: true })).epoch).toBe(2);
      expect((await reopen()).epoch).toBe(2);
    });

    it('lets each service make up for a restored backup once, also as replicas and in later epochs', async () => {
      const { store, reopen } = await open();
      expect(await restoresOf(store, 'flag-service').unsettledSince()).toBeUndefined();
      await reopen({ raiseEpoch: true });
      const third = await reopen({ raiseEpoch: true });
      const flags = restoresOf(third, 'flag-service');
      expect(await flags.unsettledSince()).toBe(1);
      await Promise.all([flags.settle(), restoresOf(third, 'flag-service').settle()]);
      await flags.settle();
      expect(await flags.unsettledSince()).toBeUndefined();
      expect(await restoresOf(third, 'notifier').unsettledSince()).toBe(1);
      const fourth = await reopen({ raiseEpoch: true });
      expect(await restoresOf(fourth, 'flag-service').unsettledSince()).toBe(3);
    });

    it('finishes what is under way before it closes', async () => {
      const { store, reopen } = await open();
      const documents = store.documents<number>({
        name: 'counts',
        schemaVersion: 1,
        index: () => ({}),
      });
      const saved = documents.save('a', { state: 7, version: 1, outbox: [] }, 0);
      const again = await reopen();
      await expect(saved).resolves.toMatchObject({ token: 1 });
      const found = again.documents<number>({
        name: 'counts',
        schemaVersion: 1,
        index: () => ({}),
      });
      expect((await found.load('a'))?.state).toBe(7);
    });
  });
}
