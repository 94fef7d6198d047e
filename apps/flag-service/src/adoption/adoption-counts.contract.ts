import { expect, it } from '@jest/globals';
import type { AdoptionCounts } from './adoption-counts.port.ts';
import { type Counted, HOUR_MS, MOST_CELLS_OF_FLAG, MOST_UNKNOWN } from './counted.ts';

/** @param open counts that are empty, and that say they began at `since` */
export function adoptionCountsContract(open: (since: number) => AdoptionCounts): void {
  const hour = (n: number): number => 500_000 * HOUR_MS + n * HOUR_MS;
  const counted = (at: number, more: Partial<Counted>): Counted => ({
    at,
    served: [],
    unknown: [],
    fetched: false,
    ...more,
  });
  const served = (variant: string, count: number, application = 'shop') => ({
    application,
    flag: 'f',
    variant,
    count,
  });

  it('adds up, by hour, application and variant, the oldest hour first', async () => {
    const counts = open(hour(0));
    await counts.add('e', counted(hour(0) + 1, { served: [served('on', 2), served('off', 1)] }));
    await counts.add('e', counted(hour(0) + 2, { served: [served('on', 3)] }));
    await counts.add('e', counted(hour(1), { served: [served('on', 4, 'a "b", c')] }));
    const now = hour(1) + 5;
    const all = await counts.counts('e', 'f', { hours: 2, now });
    expect(all.toSorted((a, b) => a.hour - b.hour || b.count - a.count)).toEqual([
      { hour: hour(0), application: 'shop', variant: 'on', count: 5 },
      { hour: hour(0), application: 'shop', variant: 'off', count: 1 },
      { hour: hour(1), application: 'a "b", c', variant: 'on', count: 4 },
    ]);
    expect(all.at(-1)?.hour).toBe(hour(1));
    expect(await counts.counts('e', 'f', { hours: 1, now })).toHaveLength(1);
    expect(await counts.counts('e', 'g', { hours: 2, now })).toEqual([]);
    expect(await counts.counts('other', 'f', { hours: 2, now })).toEqual([]);
  });

  it('remembers when each flag was asked for last, and when all were fetched', async () => {
    const counts = open(7);
    expect(await counts.asked('e')).toEqual({ countedSince: 7, flags: new Map() });
    await counts.add('e', counted(hour(0), { served: [served('on', 1)], fetched: true }));
    await counts.add('e', counted(hour(2), { served: [served('off', 1)] }));
    const asked = await counts.asked('e');
    expect(asked).toMatchObject({ flags: new Map([['f', hour(2)]]), lastFetched: hour(0) });
    expect(asked.countedSince).toBeLessThanOrEqual(hour(0));
    expect((await counts.asked('other')).flags.size).toBe(0);
  });

  it('does not take what a late batch tells for the last that was asked', async () => {
    const counts = open(7);
    for (const n of [2, 1])
      await counts.add('e', counted(hour(n), { served: [served('on', 1)], fetched: true }));
    expect(await counts.asked('e')).toMatchObject({
      flags: new Map([['f', hour(2)]]),
      lastFetched: hour(2),
    });
  });

  it('counts applications beyond the most that are told apart as one', async () => {
    const counts = open(0);
    const many = Array.from({ length: MOST_CELLS_OF_FLAG + 500 }, (_, n) =>
      served('on', 1, `${n}`),
    );
    await counts.add('e', counted(hour(0), { served: many }));
    await counts.add('e', counted(hour(0), { served: [served('on', 1, '0')] }));
    const all = await counts.counts('e', 'f', { hours: 1, now: hour(0) });
    expect(all).toHaveLength(MOST_CELLS_OF_FLAG + 1);
    const count = new Map(all.map((each) => [each.application, each.count]));
    expect([count.get('0'), count.get('others')]).toEqual([2, 500]);
  });

  it('keeps unknown keys, the last asked for first, and forgets the one asked for the longest ago', async () => {
    const counts = open(0);
    const missed = (key: string, application = 'shop') => ({ key, application, count: 2 });
    await counts.add('e', counted(1, { unknown: [missed('first'), missed('again')] }));
    await counts.add('e', counted(2, { unknown: [missed('again', 'till')] }));
    expect(await counts.unknown('e')).toEqual([
      { key: 'again', count: 4, lastAsked: 2, application: 'till' },
      { key: 'first', count: 2, lastAsked: 1, application: 'shop' },
    ]);
    const many = Array.from({ length: MOST_UNKNOWN - 1 }, (_, n) => missed(`key-${n}`));
    await counts.add('e', counted(3, { unknown: many }));
    const kept = await counts.unknown('e');
    expect(kept).toHaveLength(MOST_UNKNOWN);
    const keys = kept.map(({ key }) => key);
    expect(keys).toContain('again');
    expect(keys).not.toContain('first');
    await counts.add('e', counted(4, { unknown: [missed('first')] }));
    expect((await counts.unknown('e'))[0]).toMatchObject({ key: 'first', count: 2 });
  });
}
