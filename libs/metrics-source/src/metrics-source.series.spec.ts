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

const NOTHING = { name: 'up', labels: {} };

describe('the source of recorded series', () => {
  metricsSourceContract(async () => {
    const targets = new Map<string, Served>();
    let now = 1_000;
    const exposed = (target: string, at: number) => {
      const served = targets.get(target);
      const text = served && 'text' in served ? served.text : '';
      const exposition = readExposition(text, { at });
      if (isRejection(exposition)) throw new Error(exposition.message);
      return exposition;
    };
    return {
      evaluates: true,
      nextInstant: () => (now += 1_000),
      source: {
        // What it has recorded by now, of each target.
        read: (requests, at) => {
          const declared = requests.flatMap(({ target }) => [...exposed(target, at).declared]);
          const recorded = (target: string): RecordedSeries[] =>
            [[NOTHING], ...exposed(target, at).samples.values()].flatMap((samples) =>
              samples.map(({ name, labels, ...sample }) => {
                const value = 'value' in sample ? sample.value : 1;
                return { name, labels, points: [[at, value]] };
              }),
            );
          const answered = [{ name: '', labels: {}, points: [[at, 2]] as RecordedPoint[] }];
          return seriesSource(recorded, {
            declared,
            queries: { [ONE_PLUS_ONE]: answered },
            rules: [RULE],
            failing: (target) => {
              const served = targets.get(target);
              return served && 'failure' in served ? served.failure : undefined;
            },
          }).read(requests, at);
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

const series = (points: RecordedPoint[], labels = {}, name = 'a_total'): RecordedSeries => ({
  name,
  labels,
  points,
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
    expect((await readAt(source, 25_000)).lacks).toBe(
      'prometheus could not scrape c:1 (shop), which had a_total.',
    );
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
});
