import { describe, expect, it } from '@jest/globals';
import { conditionsOf } from './conditions.ts';
import type { GivenUp, Known } from './known.ts';
import { asked } from './reach.ts';

const NOW = 100_000;
const well: Known = {
  service: 'metrics-gatekeeper',
  busAddress: 'kafka://k1:9092,k2:9092',
  storeAddress: 'mongodb://m1/tidegate',
  afterMs: 15_000,
  bus: {},
  store: {},
  kills: [],
  lags: [],
  givenUp: [],
  details: { bus: ['It looks after 1 rollout: r-1.'], store: ['Nobody judges r-1.'] },
};
const look = (known: Partial<Known>) => conditionsOf({ ...well, ...known }, NOW);
const names = (known: Partial<Known>) => look(known).map(({ name }) => name);
const awayFor = (ms: number) => ({ awaySince: NOW - ms, reason: 'The brokers did not answer.' });
const restore = { type: 'RestoreFlag', key: 'production/checkout-v2', at: NOW - 12_000 };
const owing = { documents: 3, since: NOW - 40_000 };
const letter: GivenUp = {
  id: 'flag-service.kills:kills:1:0:7',
  at: NOW - 1_000,
  group: 'flag-service.kills',
  type: 'DisableFlag',
  key: 'production/banner',
  why: 'TypeError: no such thing',
  isKill: true,
};

describe('a page', () => {
  it('is about nothing while all is well', () => {
    expect(look({})).toEqual([]);
  });

  it('about the bus says since when, what waits, what to do by hand, and that nothing must be restarted', () => {
    const [page] = look({ bus: awayFor(15_000), kills: [restore] });
    expect(page).toMatchObject({
      name: 'bus-away',
      severity: 'critical',
      since: NOW - 15_000,
      afterMs: 15_000,
      title: 'metrics-gatekeeper cannot reach the bus',
      text:
        'metrics-gatekeeper cannot reach the bus (kafka://k1:9092,k2:9092) for 15s: The brokers did not answer. ' +
        '1 kill waits since 12s and is not carried out until then: RestoreFlag of production/checkout-v2. ' +
        "By hand:\ntidegate flag disable checkout-v2 --env production --reason 'by hand, after a page'\n" +
        'It looks after 1 rollout: r-1. ' +
        'Look at the brokers and at the network between. Nothing has to be restarted: what waits goes on by itself.',
    });
  });

  it('about a kill comes sooner than one about the bus, and names each command and what it is about', () => {
    const pause = { type: 'PauseMigration', key: 'm-7', at: NOW - 6_000 };
    const [, page] = look({ bus: awayFor(6_000), kills: [restore, pause] });
    expect(page).toMatchObject({
      name: 'kill-waits',
      since: NOW - 12_000,
      afterMs: 0,
      amount: 2,
      title: 'metrics-gatekeeper cannot send 2 kills',
      text: expect.stringContaining(
        "\ntidegate migration pause m-7 --reason 'by hand, after a page'",
      ),
    });
  });

  it('is about no kill that is on its way, however many there are, one after another', () => {
    expect(names({ kills: [{ ...restore, at: NOW - 4_999 }] })).toEqual([]);
    expect(names({ kills: [{ ...restore, at: NOW - 5_000 }] })).toEqual(['kill-waits']);
  });

  it('about the store says that the service decides nothing', () => {
    expect(look({ store: awayFor(20_000) })).toMatchObject([
      {
        name: 'store-away',
        text: expect.stringMatching(/\(mongodb:\/\/m1\/tidegate\) for 20s.*\. Nobody judges r-1\./),
      },
    ]);
  });

  it('about the bus names nothing that would need the store, while that is away as well', () => {
    const [page] = look({ bus: awayFor(20_000), store: awayFor(20_000) });
    expect(page?.text).toContain('Nobody judges r-1.');
    expect(page?.text).not.toContain('It looks after');
  });

  it('about what the bus does not take waits until bus and store have answered for a while', () => {
    const refusal = 'Not authorized to write to flag.events.';
    expect(look({ owing, refusal })).toMatchObject([
      {
        name: 'outbox-waits',
        since: owing.since,
        text: expect.stringContaining('It says: Not authorized to write to flag.events.'),
      },
    ]);
    expect(look({ owing, bus: { backAt: NOW - 1_000 } })).toMatchObject([{ since: NOW - 1_000 }]);
    expect(names({ owing, bus: awayFor(20_000) })).toEqual(['bus-away']);
    expect(names({ owing, kills: [restore] })).toEqual(['kill-waits']);
  });

  it('about a consumer that lags is for who cannot work although bus and store answer', () => {
    const lag = { group: 'flag-service', topic: 'flag.commands', at: NOW, message: 'It waits.' };
    const ofKills = { ...lag, group: 'flag-service.kills', topic: 'kills' };
    expect(look({ lags: [lag] })).toMatchObject([
      { name: 'consumer-lags/flag-service/flag.commands', severity: 'warning', afterMs: 0 },
    ]);
    expect(names({ lags: [lag, ofKills], bus: awayFor(1) })).toEqual(['bus-away']);
    expect(names({ lags: [lag, ofKills], store: awayFor(1) })).toEqual([
      'store-away',
      'consumer-lags/flag-service.kills/kills',
    ]);
  });

  it('about a consumer gives it time to catch up after an outage', () => {
    const at = NOW - 10_000;
    const lags = [{ group: 'flag-service', topic: 'flag.commands', at, message: 'It waits.' }];
    expect(look({ lags, bus: { backAt: NOW } })).toMatchObject([{ since: at, afterMs: 25_000 }]);
  });

  it('about a kill that was given up names it, its letter, and what to do', () => {
    expect(look({ service: 'flag-service', givenUp: [letter] })).toMatchObject([
      {
        name: 'kill-given-up',
        severity: 'critical',
        afterMs: 0,
        text:
          'Given up: DisableFlag of production/banner, letter flag-service.kills:kills:1:0:7 (TypeError: no such thing). ' +
          "It is not carried out. By hand:\ntidegate flag disable banner --env production --reason 'by hand, after a page'\n" +
          'When the cause is mended: tidegate bus replay LETTER -s flag-service.',
      },
    ]);
    expect(names({ givenUp: [{ ...letter, isKill: false }] })).toEqual(['message-ends-process']);
  });

  it('that names a command can be pasted, whatever others have sent; one for what is no command names none', () => {
    const textOf = ([type, key]: readonly [string, string]) =>
      look({ givenUp: [{ ...letter, type, key }] })[0]?.text;
    expect(textOf(['DisableFlag', "production/it's; rm x"])).toContain(
      "\ntidegate flag disable 'it'\\''s; rm x' --env production --reason 'by hand, after a page'\n",
    );
    expect(textOf(['AbortRollout', 'r-1'])).toContain('\ntidegate rollout abort r-1 --reason');
    expect(textOf(['A message', ''])).toContain('Given up: A message, letter');
    for (const nonsense of [
      ['A message', ''],
      ['A message', 'x/y'],
      ['DisableFlag', 'x'],
    ] as const)
      expect(textOf(nonsense)).not.toContain('By hand');
  });

  it('sets what a driver says apart from what follows', () => {
    const [page] = look({ bus: { ...awayFor(15_000), reason: 'connect ECONNREFUSED k1:9092' } });
    expect(page?.text).toContain('ECONNREFUSED k1:9092. It looks after');
  });

  it('is not as long as what it tells of', () => {
    const kills = Array.from({ length: 300 }, (_, n) => ({ ...restore, key: `production/f-${n}` }));
    const [page] = look({ kills });
    expect(page?.text).toContain('RestoreFlag of production/f-4 and 295 more.');
    expect(page?.text.length).toBeLessThan(1_000);
  });
});

it('what is asked is away since it first did not answer, and back since it did again', () => {
  let reach = asked({}, undefined, 1);
  expect(reach).toEqual({});
  reach = asked(reach, 'no', 2);
  expect(asked(reach, 'still no', 3)).toEqual({ awaySince: 2, reason: 'still no' });
  reach = asked(reach, undefined, 4);
  expect(reach).toEqual({ backAt: 4 });
  expect(asked(reach, undefined, 5)).toEqual({ backAt: 4 });
});
