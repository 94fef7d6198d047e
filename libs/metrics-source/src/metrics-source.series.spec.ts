import { describe, expect, it } from '@jest/globals';
import { isRejection } from '@tidegate/kernel';
import { readExposition } from './exposition.ts';
import {
  metricsSourceContract,
  ONE_PLUS_ONE,
  RULE,
  type Served,
} from './metrics-source.contract.ts';
import { seriesSource } from './metrics-source.series.ts';
import type { RecordedPoint, RecordedSeries } from './recorded-series.ts';

const series = (points: RecordedPoint[], labels = {}, name = 'a_total'): RecordedSeries => ({
  name,
  labels,
  points,
});
describe('the source of recorded series', () => {
  metricsSourceContract(async () => {
    const targets = new Map<string, Served>();
    let now = 1_000;
    const archiveAt = (name: string, at: number) => {
      const served = targets.get(name) ?? { text: '' };
      if ('failure' in served) return seriesSource([], { failing: () => served.failure });
      const exposition = readExposition(served.text, { at });
      if (isRejection(exposition)) throw new Error(exposition.message);
      const samples = [...exposition.samples.values()].flat();
      const recorded = samples.map((each) =>
        series([[each.at, each.value]], each.labels, each.name),
      );
      const others = [series([[at, 2]], {}, ONE_PLUS_ONE), series([[at, 1]], {}, 'up')];
      const declared = [...exposition.declared];
      return seriesSource([...recorded, ...others], { declared, rules: [RULE] });
    };
    return {
      evaluates: true,
      nextInstant: () => (now += 1_000),
      source: {
        // What is recorded by now, each target in an archive of its own.
        read: async (requests, at) => {
          const names = [...new Set(requests.map(({ target }) => target))];
          const readings = names.map((name) =>
            archiveAt(name, at).read(
              requests.filter(({ target }) => target === name),
              at,
            ),
          );
          return (await Promise.all(readings)).flat();
        },
      },
      serve: async (served) => {
        const target = `http://target-${targets.size + 1}`;
        targets.set(target, served);
        return target;
      },
      change: async (target, served) => {
        targets.set(target, served);
      },
    };
  });
});

const target = 'prometheus';

describe('recorded series', () => {
  const readAt = async (source: ReturnType<typeof seriesSource>, at: number) => {
    const [reading] = await source.read([{ target, metrics: ['a_total'] }], at);
    if (reading?.outcome !== 'taken') throw new Error(JSON.stringify(reading));
    return reading;
  };
  const valueAt = async (source: ReturnType<typeof seriesSource>, at: number) =>
    (await readAt(source, at)).samples[0]?.value;

  it('hold their newest value until it is too old, or has ended', async () => {
    const points: RecordedPoint[] = [
      [10_000, 1],
      [20_000, 2],
      [25_000, 'stale'],
      [50_000, 5],
    ];
    const source = seriesSource([series(points)], { lookbackMs: 20_000 });
    const instants = [
      9_999, 10_000, 19_999, 20_000, 24_999, 25_000, 49_999, 50_000, 69_999, 70_000,
    ];
    const values: unknown[] = [];
    for (const at of instants) values.push(await valueAt(source, at));
    expect(values).toEqual([undefined, 1, 1, 2, 2, undefined, undefined, 5, 5, undefined]);
  });

  it('give the same in any order of the instants', async () => {
    const points = Array.from({ length: 500 }, (_, i): RecordedPoint => [i * 1_000, i]);
    const source = seriesSource([series(points)]);
    for (const at of [499, 3, 250, 249, 251, 0, 400, 77])
      expect(await valueAt(source, at * 1_000 + 500)).toBe(at);
  });

  it('tell of the instant of their newest value, so that no scrape is counted twice', async () => {
    const source = seriesSource([series([[10_000, 1]])]);
    expect((await readAt(source, 10_500)).at).toBe(10_000);
    expect((await readAt(source, 12_000)).at).toBe(10_000);
  });

  it('are declared while anything is recorded, and unknown in a gap of everything', async () => {
    const up = series(
      [
        [10_000, 1],
        [60_000, 1],
      ],
      {},
      'up',
    );
    const source = seriesSource([up, series([[60_000, 1]])], { lookbackMs: 20_000 });
    expect(await readAt(source, 15_000)).toMatchObject({ samples: [], declared: ['a_total'] });
    expect(await readAt(source, 40_000)).toMatchObject({ samples: [], declared: [] });
  });

  it('lack what a target had that could not be scraped', async () => {
    const labels = { job: 'shop', instance: 'c:1' };
    const up = series(
      [
        [10_000, 1],
        [20_000, 0],
        [30_000, 1],
      ],
      labels,
      'up',
    );
    const counted = series(
      [
        [10_000, 1],
        [20_000, 'stale'],
        [30_000, 2],
      ],
      labels,
    );
    const source = seriesSource([up, counted]);
    expect(await readAt(source, 15_000)).not.toHaveProperty('lacks');
    expect(await readAt(source, 25_000)).toMatchObject({
      down: [labels],
      lacks: 'prometheus could not scrape c:1 (shop), which had a_total.',
    });
    const selectors = ['shop', 'search'].map((job) => ({ metric: 'a_total', where: { job } }));
    const [both] = await source.read([{ target, metrics: ['a_total'], selectors }], 25_000);
    expect(both).toMatchObject({ lacking: [{ selector: selectors[0] }] });
    expect(await readAt(source, 35_000)).not.toHaveProperty('lacks');
  });

  it('have the alerting rules that have ever fired, unless they are listed', async () => {
    const alert = series([[10_000, 1]], { alertname: 'Fails' }, 'ALERTS');
    const rulesOf = async (source: ReturnType<typeof seriesSource>) => {
      const request = { target, metrics: [], rules: ['Fails', 'Quiet'] };
      const [reading] = await source.read([request], 5_000);
      return reading?.outcome === 'taken' && reading.rules;
    };
    expect(await rulesOf(seriesSource([alert]))).toEqual(['Fails']);
    expect(await rulesOf(seriesSource([alert], { rules: ['Quiet'] }))).toEqual(['Quiet']);
  });

  it('answer the expressions that they are named by, and no other', async () => {
    const answer = series(
      [
        [10_000, 0.25],
        [20_000, 'stale'],
      ],
      { zone: 'a' },
      'sum(a_total)',
    );
    const source = seriesSource([answer, series([], {}, 'nothing > 1')]);
    const queries = ['sum(a_total)', 'nothing > 1', 'other'];
    const answersAt = async (at: number) => {
      const [reading] = await source.read([{ target, metrics: [], queries }], at);
      return reading?.outcome === 'taken' ? reading.answers : undefined;
    };
    expect(await answersAt(12_000)).toMatchObject({
      'sum(a_total)': { points: [{ labels: { zone: 'a' }, value: 0.25, at: 10_000 }] },
      'nothing > 1': { points: [] },
      other: { failure: 'query-failed', message: expect.stringContaining('recorded') },
    });
    expect(await answersAt(22_000)).toMatchObject({ 'sum(a_total)': { points: [] } });
  });

  it('of an address are those of its instance, where they have one', async () => {
    const of = (instance: string, value: number) => series([[10_000, value]], { instance });
    const source = seriesSource([of('c:1', 1), of('d:1', 2)]);
    const targets = ['http://c:1/metrics', 'https://d:1/metrics', 'prometheus', 'signals:live'];
    const requests = targets.map((each) => ({ target: each, metrics: ['a_total'] }));
    const readings = await source.read(requests, 11_000);
    expect(readings.map((each) => each.outcome === 'taken' && each.samples.length)).toEqual([
      1, 1, 2, 2,
    ]);
  });
});
