import { describe, expect, it } from '@jest/globals';
import type { Reading, Sample } from '@tidegate/metrics-source';
import { START, Watching } from './watching.memory.ts';

const A = 'http://a/metrics';
const B = 'http://b/metrics';
const GUARDS = [{ name: 'g', judge: 'sequential', metric: 'errors', limit: '1%' }];
const ratio = (metric: object) => ({
  guards: GUARDS,
  metrics: {
    errors: {
      type: 'ratio',
      bad: { metric: 'bad_total' },
      total: { metric: 'all_total' },
      ...metric,
    },
  },
});
const scraped = ratio({ source: { scrape: [A, B] } });
const all = (n: number, startedAt?: number): string =>
  `all_total ${n}\n${startedAt === undefined ? '' : `process_start_time_seconds ${startedAt}\n`}`;

describe('instances that are scraped', () => {
  it('have vanished after so many checks in a row without them, while others were read', async () => {
    const watching = new Watching(scraped);
    await watching.check(0, { [A]: all(1), [B]: all(1) });
    for (const i of [1, 2, 3]) {
      expect(watching.liveness).toMatchObject({ vanished: 0 });
      await watching.check(i * 5, { [A]: all(i), [B]: 'unreachable' });
    }
    expect(watching.liveness).toEqual({
      vanished: 1,
      restarts: 0,
      detail: `${B} was there, and is missing in 3 checks in a row.`,
    });
  });

  it('that are away for less than so many intervals have not vanished, however often they are looked for', async () => {
    const watching = new Watching(scraped);
    await watching.check(10, { [A]: all(1), [B]: all(1) });
    for (const seconds of [10.2, 10.4, 10.6, 15, 20])
      await watching.check(seconds, { [A]: all(2), [B]: 'unreachable' });
    expect(watching.liveness).toMatchObject({ vanished: 0 });
    await watching.check(25, { [A]: all(2), [B]: 'unreachable' });
    expect(watching.liveness).toMatchObject({ vanished: 1 });
  });

  it('that come back in between have not vanished', async () => {
    const watching = new Watching(scraped);
    for (const i of [0, 1, 2, 3, 4, 5, 6, 7])
      await watching.check(i * 5, { [A]: all(i), [B]: i % 3 === 0 ? all(i) : 'unreachable' });
    expect(watching.liveness).toMatchObject({ vanished: 0 });
  });

  it('have not vanished while nothing else can be read: then it may be we who are cut off', async () => {
    const watching = new Watching(scraped);
    await watching.check(0, { [A]: all(1), [B]: all(1) });
    for (const i of [1, 2, 3, 4, 5])
      await watching.check(i * 5, { [A]: 'unreachable', [B]: 'unreachable' });
    expect(watching.liveness).toMatchObject({ vanished: 0 });
  });

  it('have vanished also where they went with the very beginning of a step', async () => {
    const watching = new Watching(scraped, '');
    for (const [i, n] of [50, 1, 9].entries())
      await watching.check(i * 5, { [A]: all(i), [B]: all(n) });
    watching.enter('canary');
    expect(watching.liveness).toMatchObject({ vanished: 0, restarts: 0 });
    for (const i of [3, 4, 5]) await watching.check(i * 5, { [A]: all(i), [B]: 'unreachable' });
    expect(watching.liveness).toMatchObject({ vanished: 1 });
  });

  it('vanish also after the clock was set back, and not by that', async () => {
    const watching = new Watching(scraped);
    await watching.check(0, { [A]: all(1), [B]: all(1) });
    for (const i of [0, 1, 2, 3]) {
      expect(watching.liveness).toMatchObject({ vanished: 0 });
      await watching.check(i * 5 - 3_600, { [A]: all(i), [B]: 'unreachable' });
    }
    expect(watching.liveness).toMatchObject({ vanished: 1 });
  });

  it('that were never there are no canary that has vanished', async () => {
    const watching = new Watching(scraped);
    for (const i of [0, 1, 2, 3, 4]) await watching.check(i * 5, { [A]: all(i), [B]: 'timeout' });
    expect(watching.liveness).toMatchObject({ vanished: 0 });
  });

  it('have restarted when their counters begin again, as often as that happened lately', async () => {
    const watching = new Watching({ ...scraped, liveness: { within: '60s' } });
    const counts = [100, 200, 5, 50, 3, 1, 40];
    for (const [i, n] of counts.entries())
      await watching.check(i * 5, { [A]: all(i * 10), [B]: all(n) });
    expect(watching.liveness).toMatchObject({ restarts: 3, detail: `${B} has restarted 3 times.` });
    await watching.check(82, { [A]: all(100), [B]: all(50) });
    expect(watching.liveness).toMatchObject({ restarts: 1 });
  });

  it('have restarted when their process began later, though no counter shows it', async () => {
    const watching = new Watching(scraped);
    for (const [i, began] of [1_000, 1_000, 2_000, 2_000].entries())
      await watching.check(i * 5, { [A]: all(i), [B]: all(i, began) });
    expect(watching.liveness).toMatchObject({ restarts: 1 });
  });

  it('are not asked after by a guard in shadow, nor does what it lacks hide one that has vanished', async () => {
    const { metrics } = scraped;
    const [guard] = GUARDS;
    const shadow = { ...guard, shadow: true };
    const dies = async (guards: object[]) => {
      const other = { ...metrics.errors, total: { metric: 'other_total' } };
      const watching = new Watching({ guards, metrics: { ...metrics, other } });
      const text = (n: number) => `${all(n)}other_total NaN\n`;
      await watching.check(0, { [A]: text(1), [B]: text(1) });
      for (const i of [1, 2, 3]) await watching.check(i * 5, { [A]: text(i), [B]: 'unreachable' });
      return watching.liveness;
    };
    expect(await dies([shadow])).toMatchObject({ vanished: 0 });
    const broken = { ...shadow, name: 'broken', metric: 'other' };
    expect(await dies([{ ...guard }, broken])).toMatchObject({ vanished: 1 });
  });

  it('are not asked after where the plan does not want it', async () => {
    const watching = new Watching({ ...scraped, liveness: 'off' });
    await watching.check(0, { [A]: all(0), [B]: all(0) });
    expect([watching.liveness, watching.evidence.liveness]).toEqual([undefined, undefined]);
  });
});

describe('instances behind a Prometheus', () => {
  const parts = { canary: { where: { version: 'new' } }, baseline: { where: { version: 'old' } } };
  const fields = (more: object = {}) => ratio({ source: { prometheus: {} }, ...more });
  const series = (instance: string, version: string, value: number): Sample => ({
    name: 'all_total',
    labels: { job: 'shop', instance, version },
    series: `all_total{${instance},${version}}`,
    value,
    at: 0,
  });
  const reading = (seconds: number, samples: readonly Sample[], down: readonly string[] = []) => {
    const at = START + seconds * 1_000;
    const readings: Reading[] = [
      {
        outcome: 'taken',
        target: 'prometheus',
        at,
        samples: samples.map((each) => ({ ...each, at })),
        declared: ['all_total'],
        down: down.map((instance) => ({ job: 'shop', instance })),
      },
    ];
    return [readings, at] as const;
  };

  it('have vanished when it cannot scrape them', () => {
    const watching = new Watching(fields());
    const a = (n: number) => series('a:80', 'new', n);
    watching.tell(...reading(0, [a(1), series('b:80', 'new', 1)]));
    for (const i of [1, 2, 3]) watching.tell(...reading(i * 15, [a(i)], ['b:80']));
    expect(watching.liveness).toMatchObject({
      vanished: 1,
      detail: 'b:80 (shop) was there, and is missing in 3 checks in a row.',
    });
  });

  it('have not vanished when one scrape of them fails, though others are scraped before the next', () => {
    const watching = new Watching(fields());
    const a = (n: number) => series('a:80', 'new', n);
    watching.tell(...reading(25, [a(1), series('b:80', 'new', 1)]));
    for (const at of [30, 35, 40]) watching.tell(...reading(at, [a(at)], ['b:80']));
    expect(watching.liveness).toMatchObject({ vanished: 0 });
    for (const at of [45, 50, 55, 60, 65, 70]) {
      expect(watching.liveness).toMatchObject({ vanished: 0 });
      watching.tell(...reading(at, [a(at)], ['b:80']));
    }
    expect(watching.liveness).toMatchObject({ vanished: 1 });
  });

  it('that it no longer has were scaled down, and are forgotten', () => {
    const watching = new Watching(fields());
    const a = (n: number) => series('a:80', 'new', n);
    watching.tell(...reading(0, [a(1), series('b:80', 'new', 1)]));
    for (const i of [1, 2, 3, 4]) watching.tell(...reading(i * 15, [a(i)]));
    expect(watching.liveness).toMatchObject({ vanished: 0 });
  });

  it('have vanished when nothing of the canary is left, and others are', () => {
    const watching = new Watching(fields(parts));
    const old = (n: number) => series('o:80', 'old', n);
    watching.tell(...reading(0, [old(1), series('n:80', 'new', 1)]));
    for (const i of [1, 2, 3]) watching.tell(...reading(i * 15, [old(i)]));
    expect(watching.liveness).toMatchObject({ vanished: 1 });
  });

  it('have not vanished because the whole reading cannot be used', () => {
    const watching = new Watching(fields(parts));
    const old = (n: number) => series('o:80', 'old', n);
    watching.tell(...reading(0, [old(1), series('n:80', 'new', 1)]));
    for (const i of [1, 2, 3, 4])
      watching.tell(...reading(i * 15, [old(i), series('n:80', 'new', Number.NaN)]));
    expect(watching.liveness).toMatchObject({ vanished: 0 });
  });

  it('restart each for themselves', () => {
    const watching = new Watching(fields());
    for (const [i, [a, b]] of [
      [10, 10],
      [20, 2],
      [30, 1],
      [40, 0],
      [50, 9],
    ].entries())
      watching.tell(...reading(i * 15, [series('a', 'new', a ?? 0), series('b', 'new', b ?? 0)]));
    expect(watching.liveness).toMatchObject({
      restarts: 3,
      detail: 'b (shop) has restarted 3 times.',
    });
  });
});
