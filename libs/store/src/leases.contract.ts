import { describe, expect, it } from '@jest/globals';
import type { Open } from './store.contract.ts';

export function leasesContract(open: Open): void {
  describe('a lease', () => {
    it('refuses a second holder, then gives the next one a greater token', async () => {
      const { leases } = (await open()).store;
      const first = await leases.claim('run-1', 'runner-a', 60_000);
      expect(await leases.claim('run-1', 'runner-b', 60_000)).toBeUndefined();
      await leases.release('run-1', 'runner-a');
      expect(await leases.claim('run-1', 'runner-b', 60_000)).toBeGreaterThan(Number(first));
    });

    it('keeps its token while it is renewed in time', async () => {
      const { store, clock } = await open();
      const token = await store.leases.claim('run-1', 'runner-a', 1_000);
      for (let n = 0; n < 5; n += 1) {
        clock.advance(900);
        expect(await store.leases.claim('run-1', 'runner-a', 1_000)).toBe(token);
      }
      expect(await store.leases.claim('run-1', 'runner-b', 1_000)).toBeUndefined();
    });

    it('goes to the next one when it has run out, and the old holder is refused', async () => {
      const { store, clock } = await open();
      const first = await store.leases.claim('run-1', 'runner-a', 1_000);
      clock.advance(1_000);
      expect(await store.leases.claim('run-1', 'runner-b', 1_000)).toBeGreaterThan(Number(first));
      expect(await store.leases.claim('run-1', 'runner-a', 1_000)).toBeUndefined();
    });

    it('gets a greater token after it ran out, also for the one that had it', async () => {
      const { store, clock } = await open();
      const first = await store.leases.claim('run-1', 'runner-a', 1_000);
      clock.advance(1_000);
      expect(await store.leases.claim('run-1', 'runner-a', 1_000)).toBeGreaterThan(Number(first));
    });

    it('goes to one of ten who ask at the same time', async () => {
      const { leases } = (await open()).store;
      const tokens = await Promise.all(
        Array.from({ length: 10 }, (_, n) => leases.claim('run-1', `runner-${n}`, 1_000)),
      );
      expect(tokens.filter((token) => token !== undefined)).toHaveLength(1);
    });

    it('is released by its holder alone, as often as it likes', async () => {
      const { leases } = (await open()).store;
      await leases.release('run-1', 'runner-a');
      await leases.claim('run-1', 'runner-a', 1_000);
      await leases.release('run-1', 'runner-b');
      expect(await leases.claim('run-1', 'runner-b', 1_000)).toBeUndefined();
      await leases.release('run-1', 'runner-a');
      await leases.release('run-1', 'runner-a');
      expect(await leases.claim('run-1', 'runner-b', 1_000)).toBeDefined();
    });

    it('is another one under another name', async () => {
      const { leases } = (await open()).store;
      await leases.claim('run-1', 'runner-a', 1_000);
      expect(await leases.claim('run-2', 'runner-b', 1_000)).toBeDefined();
    });

    it('outlives the process where others may have it; tokens go on growing, also when the epoch was raised', async () => {
      const { store, clock, reopen, isExclusive = false } = await open();
      const first = await store.leases.claim('run-1', 'runner-a', 1_000);
      const again = await reopen();
      if (!isExclusive) {
        expect(await again.leases.claim('run-1', 'runner-b', 1_000)).toBeUndefined();
        clock.advance(1_000);
      }
      const second = await again.leases.claim('run-1', 'runner-b', 1_000);
      expect(second).toBeGreaterThan(Number(first));
      const restored = await reopen({ raiseEpoch: true });
      expect(await restored.leases.claim('run-9', 'runner-a', 1_000)).toBeGreaterThan(
        Number(second),
      );
    });
  });
}
