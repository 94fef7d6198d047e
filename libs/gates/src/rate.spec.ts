import { describe, expect, it } from '@jest/globals';
import type { Reading, Sample } from '@tidegate/metrics-source';
import { START, Watching } from './watching.memory.ts';

const PROMETHEUS = { prometheus: { scrapeInterval: '15s' } };
const fields = (source: object) => ({
  metrics: {
    logins: { type: 'rate', source, count: { metric: 'logins_total' }, per: '1s' },
    other: { type: 'count', source, count: { metric: 'other_total' } },
  },
  guards: [
    { name: 'g', metric: 'logins', judge: 'sequential', limit: 10 },
    { name: 'now', metric: 'logins', judge: 'immediate', above: 10 },
    { name: 'others', metric: 'other', judge: 'immediate', above: 1_000_000 },
  ],
});
/** In the second before the newest count; a healthy one never has more than it is allowed. */
const isHealthy = (watching: Watching): void =>
  expect(watching.facts('now').value).toBeLessThanOrEqual(10);

/** What a Prometheus has at this second of a series with so many events a second, scraped every 15 seconds. */
const scraped = (name: string, pod: string, offset: number, perSecond: number) => (now: number) => {
  const last = Math.floor((now - offset) / 15) * 15 + offset;
  const sample: Sample = {
    name,
    labels: { pod },
    series: `${name}{pod="${pod}"}`,
    value: (last + 1_000) * perSecond,
    at: START + last * 1_000,
  };
  return sample;
};
const readingOf = (samples: readonly Sample[], lacks?: string): Reading => ({
  outcome: 'taken',
  target: 'prometheus',
  at: Math.max(...samples.map(({ at }) => at)),
  samples,
  declared: ['logins_total', 'other_total'],
  ...(lacks === undefined ? {} : { lacks }),
});
const other = scraped('other_total', 'x', 7, 1);

describe('a rate', () => {
  it('is of the time between its own scrapes, also where the same Prometheus has newer series', () => {
    const watching = new Watching(fields(PROMETHEUS));
    const own = scraped('logins_total', 'a', 0, 8);
    for (let now = 0; now <= 120; now += 5) {
      watching.tell([readingOf([own(now), other(now)])], START + now * 1_000);
      isHealthy(watching);
    }
    expect(watching.counted('g')).toEqual({ bad: 120 * 8, total: 120_000 });
  });

  it('counts as much as happened in it, at whatever moments its series are scraped', () => {
    const watching = new Watching(fields(PROMETHEUS));
    const pods = [0, 4, 5, 12].map((offset) => scraped('logins_total', `${offset}`, offset, 2));
    for (let now = 15; now <= 120; now += 5) {
      watching.tell([readingOf([...pods.map((pod) => pod(now)), other(now)])], START + now * 1_000);
      isHealthy(watching);
    }
  });

  it('waits while one of its targets cannot be scraped, and counts the whole time afterwards', () => {
    const watching = new Watching(fields(PROMETHEUS));
    const [a, b] = [scraped('logins_total', 'a', 0, 4), scraped('logins_total', 'b', 0, 4)];
    for (let now = 0; now <= 120; now += 15) {
      const isDown = now > 30 && now < 90;
      const samples = isDown ? [a(now)] : [a(now), b(now)];
      watching.tell(
        [readingOf(samples, isDown ? 'b cannot be scraped.' : undefined)],
        START + now * 1_000,
      );
      isHealthy(watching);
      expect(watching.missing('g')).toBe(isDown ? 'query-error' : null);
    }
    expect(watching.counted('g')).toEqual({ bad: 120 * 8, total: 120_000 });
  });

  it('of several targets waits while one is away and another serves its part', async () => {
    const [a, b] = ['http://a/metrics', 'http://b/metrics'];
    const watching = new Watching(fields({ scrape: [a, b] }));
    const answer = (n: number) => `logins_total ${n}\n# TYPE other_total counter\n`;
    const counts = { a: 0, b: 0 };
    for (let now = 0; now <= 120; now += 5) {
      const isDown = now > 30 && now < 90;
      await watching.check(now, {
        [a]: answer(counts.a),
        [b]: isDown ? 'timeout' : answer(counts.b),
      });
      isHealthy(watching);
      expect(watching.missing('g')).toBe(isDown ? 'query-error' : null);
      const counted = watching.counted('g') as { bad: number; total: number } | undefined;
      expect(counted?.bad ?? 0).toBe(((counted?.total ?? 0) / 1_000) * 8);
      const served = isDown || now === 30 ? 0 : 20;
      counts.a += 40 - served;
      counts.b += served;
    }
    expect(watching.counted('g')).toEqual({ bad: 120 * 8, total: 120_000 });
  });
});
