import { describe, expect, it } from '@jest/globals';
import type { Entry } from './projection.port.ts';
import type { Open } from './store.contract.ts';

const entry = (version: number, key = `k-${version}`, id = 'a'): Entry<string> => ({
  id,
  version,
  key,
  at: 1_000 + version,
  record: `${id}/${key}`,
});

const keys = (entries: readonly Entry<string>[]) => entries.map(({ key }) => key);

export function projectionContract(open: Open): void {
  describe('a projection', () => {
    const filled = async (...entries: Entry<string>[]) => {
      const { store, reopen } = await open();
      const history = store.projection<string>('history');
      await history.append(entries);
      return { store, history, reopen };
    };

    it('gives back what was appended, also to the next process', async () => {
      const { history, reopen } = await filled(entry(1), entry(2));
      expect(await history.read('a', { limit: 10 })).toEqual([entry(1), entry(2)]);
      const again = (await reopen()).projection<string>('history');
      expect(await again.read('a', { limit: 10 })).toEqual([entry(1), entry(2)]);
    });

    it('counts what is new, and what is appended again changes nothing', async () => {
      const { history } = await filled(entry(1));
      const changed = { ...entry(1), record: 'changed' };
      expect(await history.append([changed, entry(2), entry(2)])).toBe(1);
      expect(await history.append([])).toBe(0);
      expect(await history.read('a', { limit: 10 })).toEqual([entry(1), entry(2)]);
    });

    it('appends none if one is too large', async () => {
      const { history } = await filled();
      const large = { ...entry(2), record: 'x'.repeat(9 * 1_048_576) };
      await expect(history.append([entry(1), large])).rejects.toMatchObject({
        code: 'STORE_DOCUMENT_TOO_LARGE',
      });
      expect(await history.read('a', { limit: 10 })).toEqual([]);
    });

    it('keeps ids and names apart, and a key is unique per id', async () => {
      const { store, history } = await filled(entry(1, 'k', 'a'));
      expect(await history.append([entry(1, 'k', 'b')])).toBe(1);
      expect(await store.projection<string>('log').append([entry(1, 'k', 'a')])).toBe(1);
      expect(await history.read('b', { limit: 10 })).toEqual([entry(1, 'k', 'b')]);
      expect(await history.read('c', { limit: 10 })).toEqual([]);
    });

    it('takes the same entry once from ten who append it at the same time', async () => {
      const { history } = await filled();
      const counts = await Promise.all(
        Array.from({ length: 10 }, () => history.append([entry(1), entry(2)])),
      );
      expect(counts.reduce((sum, count) => sum + count)).toBe(2);
    });

    it('is in order of version, then of arrival', async () => {
      const { history } = await filled(entry(2, 'late'), entry(1, 'z'), entry(1, 'a'));
      expect(keys(await history.read('a', { limit: 10 }))).toEqual(['z', 'a', 'late']);
    });

    it('is read forth and back in pages', async () => {
      const { history } = await filled(...[1, 2, 3, 4, 5].map((version) => entry(version)));
      expect(keys(await history.read('a', { after: 1, limit: 2 }))).toEqual(['k-2', 'k-3']);
      expect(keys(await history.read('a', { after: 5, limit: 2 }))).toEqual([]);
      expect(keys(await history.read('a', { before: 5, limit: 2 }))).toEqual(['k-4', 'k-3']);
      expect(keys(await history.read('a', { before: Infinity, limit: 1 }))).toEqual(['k-5']);
      expect(keys(await history.read('a', { after: 2, before: 5, limit: 9 }))).toEqual([
        'k-4',
        'k-3',
      ]);
    });

    it('never cuts entries of one version apart', async () => {
      const { history } = await filled(
        entry(1, 'a'),
        entry(2, 'b'),
        entry(2, 'c'),
        entry(2, 'd'),
        entry(3, 'e'),
      );
      expect(keys(await history.read('a', { limit: 2 }))).toEqual(['a', 'b', 'c', 'd']);
      expect(keys(await history.read('a', { after: 2, limit: 2 }))).toEqual(['e']);
      expect(keys(await history.read('a', { before: 4, limit: 2 }))).toEqual(['e', 'd', 'c', 'b']);
    });

    it('forgets what is old, of one id only, and then takes it anew', async () => {
      const { history, reopen } = await filled(
        ...[1, 2, 2, 3].map((version, place) => entry(version, `k-${place}`)),
        entry(1, 'k-0', 'b'),
      );
      expect(await history.forget('a', 2)).toBe(3);
      expect(keys(await history.read('a', { limit: 10 }))).toEqual(['k-3']);
      expect(keys(await history.read('b', { limit: 10 }))).toEqual(['k-0']);
      expect(await history.forget('a', 2)).toBe(0);
      expect(await history.append([entry(1, 'k-0')])).toBe(1);
      const again = (await reopen()).projection<string>('history');
      expect(keys(await again.read('a', { limit: 10 }))).toEqual(['k-0', 'k-3']);
      expect(await again.forget('a', Infinity)).toBe(2);
      expect(await again.last('a')).toBeUndefined();
    });

    it('forgets more than one step takes', async () => {
      const { history } = await filled(...Array.from({ length: 450 }, (_, at) => entry(at)));
      expect(await history.forget('a', 448)).toBe(449);
      expect(keys(await history.read('a', { limit: 10 }))).toEqual(['k-449']);
    });

    it('knows the last one', async () => {
      const { history } = await filled(entry(9, 'x'), entry(9, 'y'), entry(3));
      expect((await history.last('a'))?.key).toBe('y');
      expect(await history.last('b')).toBeUndefined();
    });
  });
}
