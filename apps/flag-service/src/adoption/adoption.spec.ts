import { flagDefinition } from '@tidegate/contracts';
import { manualClock } from '@tidegate/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import { EnvironmentFlags } from '../view/environment-flags.ts';
import { adoptionCountsContract } from './adoption-counts.contract.ts';
import { embeddedCounts } from './adoption-counts.embedded.ts';
import { Adoption } from './adoption.handler.ts';
import { type Counted, HOUR_MS, KEPT_HOURS } from './counted.ts';
import { Tally } from './tally.ts';

describe('counts of one process', () => {
  adoptionCountsContract(embeddedCounts);

  it('are forgotten hour by hour', async () => {
    const counts = embeddedCounts(0);
    const served = [{ application: 'shop', flag: 'f', variant: 'on', count: 1 }];
    const hours = KEPT_HOURS + 3;
    for (let hour = 0; hour < hours; hour += 1)
      await counts.add('e', { at: hour * HOUR_MS, served, unknown: [], fetched: false });
    const now = (hours - 1) * HOUR_MS;
    expect(await counts.counts('e', 'f', { hours: 1_000, now })).toHaveLength(KEPT_HOURS);
  });
});

it('counts of one process do not grow with ever new names within an hour', async () => {
  const counts = embeddedCounts(0);
  const flags = Array.from({ length: 200 }, (_, n) => `flag-${n}`);
  const served = flags.flatMap((flag) =>
    Array.from({ length: 1_000 }, (_, n) => ({
      application: `${n}`,
      flag,
      variant: 'on',
      count: 1,
    })),
  );
  await counts.add('e', { at: 0, served, unknown: [], fetched: false });
  let cells = 0;
  let sum = 0;
  for (const flag of flags)
    for (const { count } of await counts.counts('e', flag, { hours: 1, now: 0 })) {
      cells += 1;
      sum += count;
    }
  expect(cells).toBeLessThan(101_000);
  expect(sum).toBe(served.length);
});

describe('a tally', () => {
  it('gives what was counted since the last time, once', () => {
    const tally = new Tally();
    expect(tally.take(1)).toBeUndefined();
    tally.served('shop', 'f', 'on');
    tally.served('shop', 'f', 'on', 2);
    tally.unknown('till', 'g');
    tally.fetched();
    expect(tally.take(2)).toEqual({
      at: 2,
      served: [{ application: 'shop', flag: 'f', variant: 'on', count: 3 }],
      unknown: [{ application: 'till', key: 'g', count: 1 }],
      fetched: true,
    });
    expect(tally.take(3)).toBeUndefined();
  });

  it('does not grow with names that somebody makes up', () => {
    const tally = new Tally();
    for (let n = 0; n < 5_000; n += 1) {
      tally.served(`application-${n}`, 'f', 'on');
      tally.unknown('shop', `key-${n}`);
      tally.unknown(`application-${n}`, 'key-0');
    }
    const { served = [], unknown = [] } = tally.take(1) ?? {};
    expect(served.length).toBeLessThan(300);
    expect(unknown.length).toBeLessThan(1_500);
    const sum = served.reduce((total, { count }) => total + count, 0);
    expect(sum).toBe(5_000);
  });
});

describe('adoption', () => {
  const environment = 'production';
  const definition = flagDefinition.parse({
    type: 'boolean',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    offVariant: 'off',
    exposure: { variant: 'on', percentage: 0 },
  });

  function world() {
    const clock = manualClock(1_000_000);
    const flags = new EnvironmentFlags();
    flags.merge({ key: 'f', epoch: 1, version: 1, flag: { definition, salt: 's' } });
    const link = { isCut: false, batches: [] as Counted[] };
    const embedded = embeddedCounts(clock.now());
    const reach = <T>(answer: () => Promise<T>): Promise<T> =>
      link.isCut ? Promise.reject(new Error('cut')) : answer();
    const warnings: string[] = [];
    const adoption = new Adoption({
      context: { clock, log: { warn: (_: object, said: string) => warnings.push(said) } as never },
      views: { find: async (name) => (name === environment ? flags : undefined) },
      counts: {
        add: (name, counted) => reach(() => embedded.add(name, counted)),
        counts: (...asked) => reach(() => embedded.counts(...asked)),
        asked: (name) => reach(() => embedded.asked(name)),
        unknown: (name) => reach(() => embedded.unknown(name)),
      },
    });
    return { adoption, clock, flags, link, warnings };
  }

  it('loses nothing while the counts are away, and says once that they are', async () => {
    const { adoption, link, warnings } = world();
    link.isCut = true;
    for (let round = 0; round < 3; round += 1) {
      adoption.tally(environment).served('shop', 'f', 'on');
      await adoption.flush();
    }
    await expect(adoption.of(environment, 'f', 1)).rejects.toMatchObject({
      code: 'ADOPTION_UNREACHABLE',
    });
    await expect(adoption.lastAsked(environment)).rejects.toMatchObject({
      code: 'ADOPTION_UNREACHABLE',
    });
    link.isCut = false;
    await adoption.flush();
    await adoption.flush();
    expect(await adoption.of(environment, 'f', 1)).toMatchObject({ variants: { on: 3 } });
    expect(warnings).toHaveLength(1);
  });

  it('takes what an SDK reports, as far as the flags and variants are there', async () => {
    const { adoption, flags, clock } = world();
    adoption.reported(environment, flags, 'shop', {
      evaluations: { f: { on: 3, removed: 2 }, gone: { on: 4 } },
      unknown: ['mispelt', 'f'],
    });
    await adoption.flush();
    expect(await adoption.of(environment, 'f', 1)).toMatchObject({
      variants: { on: 3, ERROR: 2 },
      lastAsked: clock.now(),
    });
    expect(await adoption.unknown(environment)).toMatchObject([
      { key: 'mispelt', count: 1 },
      { key: 'gone', count: 4 },
    ]);
  });

  it('sums variants that are named like what every object has', async () => {
    const { adoption, flags } = world();
    const variants = { on: true, off: false, constructor: true };
    const named = { ...definition, variants };
    flags.merge({ key: 'f', epoch: 1, version: 2, flag: { definition: named, salt: 's' } });
    adoption.reported(environment, flags, 'shop', { evaluations: { f: { constructor: 2 } } });
    await adoption.flush();
    expect(await adoption.of(environment, 'f', 1)).toMatchObject({ variants: { constructor: 2 } });
  });

  it('takes an SDK that does not count for one that may use any flag', async () => {
    const { adoption, flags, clock } = world();
    adoption.reported(environment, flags, 'shop', { evaluations: {} });
    await adoption.flush();
    expect(await adoption.lastAsked(environment)).not.toHaveProperty('lastFetched');
    adoption.reported(environment, flags, 'shop', {});
    await adoption.flush();
    expect(await adoption.lastAsked(environment)).toMatchObject({ lastFetched: clock.now() });
  });

  it('does not call a key unknown any more once there is a flag of that name', async () => {
    const { adoption, flags } = world();
    adoption.tally(environment).unknown('shop', 'new');
    await adoption.flush();
    flags.merge({ key: 'new', epoch: 1, version: 1, flag: { definition, salt: 's' } });
    expect(await adoption.unknown(environment)).toEqual([]);
  });
});
