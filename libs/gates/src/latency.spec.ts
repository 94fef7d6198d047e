import { describe, expect, it } from '@jest/globals';
import { readsOf } from './reads.ts';
import { Watching } from './watching.memory.ts';

const A = 'http://a/metrics';
const fields = (metric: object = {}) => ({
  metrics: {
    slow: {
      type: 'latency',
      source: { scrape: [A] },
      histogram: { metric: 'latency_seconds', where: { route: '/pay' } },
      over: '500ms',
      ...metric,
    },
  },
  guards: [{ name: 'g', judge: 'sequential', metric: 'slow', limit: '5%' }],
});
/** A histogram of requests that took less than the edge, and all of them. */
const histogram = (edge: string, fast: number, all: number, labels = 'route="/pay"'): string =>
  [
    `latency_seconds_bucket{${labels},le="0.1"} ${Math.min(fast, 1)}`,
    `latency_seconds_bucket{${labels},le="${edge}"} ${fast}`,
    `latency_seconds_bucket{${labels},le="+Inf"} ${all}`,
    `latency_seconds_count{${labels}} ${all}`,
    '',
  ].join('\n');

describe('latency', () => {
  it('counts what is over the edge, of all observations and all series', async () => {
    const watching = new Watching(fields());
    const text = (n: number) =>
      histogram('0.5', n * 90, n * 100) +
      histogram('0.5', n * 10, n * 10, 'route="/pay",pod="2"') +
      histogram('0.5', 0, n * 50, 'route="/search"');
    await watching.check(0, { [A]: text(0) });
    await watching.check(5, { [A]: text(1) });
    expect(watching.counted('g')).toEqual({ bad: 10, total: 110 });
  });

  it.each(['0.5', '0.50', '5e-1', '5E-01', '.5', '0.500'])(
    'finds its edge written as %s: edges are numbers',
    async (edge) => {
      const watching = new Watching(fields());
      await watching.check(0, { [A]: histogram(edge, 0, 0) });
      await watching.check(5, { [A]: histogram(edge, 7, 10) });
      expect([watching.counted('g'), watching.missing('g')]).toEqual([{ bad: 3, total: 10 }, null]);
    },
  );

  it('reads edges in the unit of the histogram', async () => {
    const watching = new Watching(fields({ unit: 'ms' }));
    await watching.check(0, { [A]: histogram('500.0', 0, 0) });
    await watching.check(5, { [A]: histogram('500.0', 7, 10) });
    expect(watching.counted('g')).toEqual({ bad: 3, total: 10 });
  });

  it('without a bucket at its edge is missing data, that names the edges that there are', async () => {
    const watching = new Watching(fields({ over: '400ms' }));
    await watching.check(5, { [A]: histogram('0.5', 7, 10) });
    expect(watching.facts('g').missing).toEqual({
      kind: 'empty',
      targets: 1,
      detail: `latency_seconds{route="/pay"} of ${A} has no bucket with the edge 0.4; there are 0.1, 0.5, +Inf (s).`,
    });
  });

  it('asks for its two edges alone, and for all of them once the one has not been found', async () => {
    const { plan } = new Watching(fields());
    const [few] = readsOf(plan, 'production')[0]?.selectors ?? [];
    expect(few?.where['le']).toEqual(expect.arrayContaining(['0.5', '+Inf']));
    const watching = new Watching(fields());
    await watching.check(5, { [A]: 'other 1\n' });
    const [all] = readsOf(plan, 'production', watching.evidence)[0]?.selectors ?? [];
    expect(all).toEqual({ metric: 'latency_seconds_bucket', where: { route: '/pay' } });
  });

  it('counts no observation of before a restart twice', async () => {
    const watching = new Watching(fields());
    await watching.check(0, { [A]: histogram('0.5', 900, 1_000) });
    await watching.check(5, { [A]: histogram('0.5', 9, 10) });
    expect(watching.counted('g')).toEqual({ bad: 1, total: 10 });
  });
});
