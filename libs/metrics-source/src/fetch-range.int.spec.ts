import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { openServerIfAny } from '../../../test/servers/servers.ts';
import { fetchRange } from './fetch-range.http.ts';
import { prometheusTarget } from './metrics-source.handler.ts';
import type { MetricsSource, TakenReading } from './metrics-source.port.ts';
import { prometheusSource } from './metrics-source.prometheus.ts';
import { seriesSource } from './metrics-source.series.ts';
import { columnsOf } from './recorded-series.ts';

jest.setTimeout(60_000);

const ofFile: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of ofFile.reverse()) await close();
});

/** What two instances of a shop show; undefined while one is down. */
const shown: (string | undefined)[] = ['', ''];
let scrapes = 0;
async function instance(number: number): Promise<string> {
  const server = createServer((_request, response) => {
    scrapes += 1;
    response.writeHead(shown[number] === undefined ? 503 : 200).end(shown[number]);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  ofFile.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const targets = [await instance(0), await instance(1)];
const server = await openServerIfAny('prometheus', {
  own: true,
  config: `
global: { scrape_interval: 100ms, scrape_timeout: 100ms }
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['${targets.join("', '")}'] }] }]
`,
});
if (server) ofFile.push(() => server.stop());

const clock = { now: () => Date.now() };
const url = server?.url ?? '';
const show = async (...texts: (string | undefined)[]): Promise<void> => {
  shown.splice(0, 2, ...texts);
  const enough = scrapes + 8;
  await eventually(() => scrapes > enough, 15_000);
};

(server ? describe : describe.skip)('the past of a Prometheus', () => {
  const counted = { metric: 'a_total', where: {} };
  const ratio = 'sum(a_total{code="500"}) / sum(a_total) > 0.1';
  const instants: number[] = [];
  let from = 0;
  let to = 0;

  it('is lived through: growth, a series that ends, an instance that is down', async () => {
    await show('a_total{code="200"} 1\n', 'a_total{code="200"} 5\n');
    from = Date.now();
    await show('a_total{code="200"} 7\na_total{code="500"} 2\n', 'a_total{code="200"} 9\n');
    await show('a_total{code="200"} 8\n', undefined);
    await show('a_total{code="200"} 9\n', 'a_total{code="200"} 3\n');
    await show('a_total{code="200"} 9\na_total{code="500"} 3\n', 'odd 1\n');
    to = Date.now();
    for (let at = from; at <= to; at += 37) instants.push(at);
    expect(instants.length).toBeGreaterThan(20);
  });

  const readAt = async (
    source: MetricsSource,
    target: string,
    at: number,
    queries: readonly string[] = [],
  ) => {
    const request = { target, metrics: ['a_total'], selectors: [counted], queries };
    const [reading] = await source.read([request], at);
    if (reading?.outcome !== 'taken') throw new Error(JSON.stringify(reading));
    return reading;
  };
  const seriesOf = ({ samples }: TakenReading) =>
    samples
      .map(({ series, value, at }) => ({ series, value, at }))
      .toSorted((a, b) => (a.series < b.series ? -1 : 1));
  const fetched = async (options = {}, request = {}) =>
    fetchRange(
      { url, selectors: [counted], from: from - 5_000, to, stepMs: 100, ...request },
      { clock, ...options },
    );

  it('answers at each instant as Prometheus itself answers, with what is missing', async () => {
    const range = await fetched();
    if ('failure' in range) throw new Error(range.message);
    const [live, recorded] = [
      prometheusSource({ clock, shareForMs: 0 }),
      seriesSource(range.series, range),
    ];
    const down: number[] = [];
    for (const at of instants) {
      const [one, other] = [
        await readAt(live, url, at),
        await readAt(recorded, prometheusTarget(url), at),
      ];
      expect({ at, of: seriesOf(other) }).toEqual({ at, of: seriesOf(one) });
      expect(other.lacks === undefined).toBe(one.lacks === undefined);
      expect(other.down).toEqual(one.down);
      if (one.lacks !== undefined) down.push(at);
    }
    expect(down.length).toBeGreaterThan(0);
    expect(range.declared).toEqual([]); // the shop declares no types
  });

  it('has what an expression gave at each step, and where it gave nothing', async () => {
    const range = await fetched({}, { queries: [ratio, 'absent_total'], from });
    if ('failure' in range) throw new Error(range.message);
    const [live, recorded] = [
      prometheusSource({ clock, shareForMs: 0 }),
      seriesSource(range.series, range),
    ];
    const queries = [ratio, 'absent_total'];
    const seen = new Set<number>();
    for (let at = from; at <= to; at += 100) {
      const [one, other] = [
        await readAt(live, url, at, queries),
        await readAt(recorded, prometheusTarget(url), at, queries),
      ];
      expect(other.answers).toEqual(one.answers);
      const answer = one.answers?.[ratio];
      if (answer && 'points' in answer) seen.add(answer.points.length);
    }
    expect(seen).toEqual(new Set([0, 1]));
  });

  it('is the same in small pages', async () => {
    const whole = await fetched({}, { queries: [ratio] });
    const pages = await fetched({ maxBytes: 1_000 }, { queries: [ratio], stepMs: 10, from });
    if ('failure' in whole) throw new Error(whole.message);
    // A minute of raw samples cannot be cut further: that is refused, and says what to do.
    expect(pages).toMatchObject({
      failure: 'too-large',
      message: expect.stringMatching(
        /more than 1000 bytes.* 1m of \{__name__="a_total"\}: name more labels/,
      ),
    });
    const finer = await fetched({}, { queries: [ratio], stepMs: 10, from, selectors: [] });
    const cut = await fetched(
      { maxBytes: 4_000 },
      { queries: [ratio], stepMs: 10, from, selectors: [] },
    );
    if ('failure' in finer || 'failure' in cut) throw new Error('not fetched');
    const points = ({ series }: typeof finer) => series.map((each) => [...columnsOf(each).times]);
    expect(points(cut)).toEqual(points(finer));
  });

  it('that is too large for the memory is refused with what to do', async () => {
    expect(await fetched({ maxPoints: 10 })).toMatchObject({
      failure: 'too-large',
      message: expect.stringContaining('more than 10 samples in this time: choose a shorter one'),
    });
  });

  it('fails like any reading, with a sentence that names the server', async () => {
    expect(await fetched({}, { url: 'http://127.0.0.1:1' })).toMatchObject({
      failure: 'unreachable',
      message: expect.stringContaining('http://127.0.0.1:1'),
    });
    expect(await fetched({}, { url: 'http://a:b@127.0.0.1:1' })).toMatchObject({
      failure: 'not-allowed',
      message: expect.not.stringContaining('a:b'),
    });
    expect(await fetched({}, { queries: ['sum('] })).toMatchObject({
      failure: 'query-failed',
      message: expect.stringContaining('Asked for: sum('),
    });
  });
});
