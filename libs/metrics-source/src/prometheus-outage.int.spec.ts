import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { openServerIfAny } from '../../../test/servers/servers.ts';
import { increase, type Snapshot } from './delta.ts';
import type { MetricsSource, Reading } from './metrics-source.port.ts';
import { prometheusSource } from './metrics-source.prometheus.ts';

jest.setTimeout(60_000);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const opened: (() => Promise<unknown>)[] = [];
const closeAll = async (): Promise<void> => {
  for (const close of opened.splice(0).reverse()) await close();
};
afterEach(closeAll);

async function listen(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  opened.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const clock = { now: () => Date.now() };
const empty = JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [] } });
const noTargets = JSON.stringify({ status: 'success', data: [] });
/** A Prometheus that has nothing. */
const healthy: Handler = ({ method }, response) =>
  void response.end(method === 'POST' ? empty : noTargets);

let last = 0;
const read = async (source: MetricsSource, target: string, more = {}): Promise<Reading> => {
  last = Math.max(last + 1, Date.now());
  const [reading] = await source.read([{ target, metrics: ['a_total'], ...more }], last);
  if (!reading) throw new Error('There is no reading.');
  return reading;
};
const quick = { clock, timeoutMs: 300, shareForMs: 0, breakAfter: 3, breakForMs: 200 };

const isLeftAlone = (reading: Reading): boolean =>
  reading.outcome === 'failed' && reading.message.includes('has not answered since');

describe('a Prometheus that is away', () => {
  it('is not asked for a while once it has not answered several times, and says since when', async () => {
    let asked = 0;
    const target = await listen(() => void (asked += 1));
    const source = prometheusSource({ ...quick, breakForMs: 60_000 });
    const begun = Date.now();
    expect(await read(source, target)).toMatchObject({ failure: 'timeout' });
    const reading = await eventually(async () => {
      const now = await read(source, target);
      return now.outcome === 'failed' && isLeftAlone(now) ? now : undefined;
    });
    const before = asked;
    expect(await read(source, target, { queries: ['up'], rules: ['Fails'] })).toEqual({
      ...reading,
      at: last,
    });
    expect(asked).toBe(before);
    expect(reading.message).toMatch(/^http\S+ has not answered since 20\S+Z and is tried again/);
    const since = /since (\S+Z)/.exec(reading.message)?.[1];
    expect(Date.parse(String(since))).toBeGreaterThanOrEqual(begun);
  });

  it('is read again by itself once it answers, one request trying it first', async () => {
    let well = false;
    let asked = 0;
    const target = await listen((request, response) => {
      asked += 1;
      if (well) healthy(request, response);
    });
    const source = prometheusSource(quick);
    await eventually(async () => isLeftAlone(await read(source, target)));
    // Later it is tried with one request, whoever else waits.
    const before = asked;
    await eventually(async () => {
      await Promise.all([read(source, target), read(source, target), read(source, target)]);
      return asked > before;
    });
    expect(asked).toBe(before + 1);
    well = true;
    await eventually(async () => (await read(source, target)).outcome === 'taken');
  });

  it('that breaks each connection at first is read all the same', async () => {
    const broken = new Set<string>();
    const target = await listen((request, response) => {
      void text(request).then((body) => {
        const what = `${request.url} ${body}`;
        if (broken.delete(what)) return healthy(request, response);
        broken.add(what);
        request.socket.destroy();
      });
    });
    const source = prometheusSource({ ...quick, timeoutMs: 5_000 });
    for (let round = 0; round < 3; round += 1)
      expect(await read(source, target)).toMatchObject({ outcome: 'taken' });
  });

  it('in one part of its answers is away as a whole for what needs that part', async () => {
    const target = await listen((request, response) => {
      if (request.method === 'POST') healthy(request, response); // and it lists no targets
    });
    expect(await read(prometheusSource(quick), target)).toMatchObject({
      failure: 'timeout',
      message: expect.stringContaining('within 300 ms'),
    });
  });

  it('for an expression that is too heavy is there for all the others, however often', async () => {
    const target = await listen((request, response) => {
      void text(request).then((body) => {
        if (!body.includes('heavy')) healthy(request, response);
      });
    });
    const source = prometheusSource(quick);
    const queries = ['heavy_1', 'heavy_2', 'heavy_3', 'heavy_4', 'light'];
    for (let round = 0; round < 5; round += 1) {
      const reading = await read(source, target, { queries });
      expect(reading).toMatchObject({
        outcome: 'taken',
        answers: { heavy_1: { failure: 'timeout' }, light: { points: [] } },
      });
    }
  });

  it('takes nothing from another that is well', async () => {
    const dead = await listen(() => undefined);
    const well = await listen(healthy);
    const source = prometheusSource(quick);
    for (let round = 0; round < 6; round += 1) {
      const requests = [dead, well].map((target) => ({ target, metrics: ['a_total'] }));
      expect(await source.read(requests, Date.now())).toMatchObject([
        { outcome: 'failed' },
        { outcome: 'taken' },
      ]);
    }
  });

  it.each([
    ['behind', 60_000],
    ['ahead of', -60_000],
  ])('in time, its clock %s ours, fails by that and not by old values', async (words, ahead) => {
    const target = await listen(healthy);
    const skewed = { now: () => Date.now() + ahead };
    expect(await read(prometheusSource({ ...quick, clock: skewed }), target)).toMatchObject({
      failure: 'clock-skew',
      message: expect.stringMatching(new RegExp(`clock that is (59|60|61) s ${words} Tidegate's`)),
    });
  });
});

const shop = { count: 0 };
const shopUrl = new URL(
  await listen((_request, response) => void response.end(`a_total ${shop.count}\n`)),
);
const ofFile = opened.splice(0);
const server = await openServerIfAny('prometheus', {
  own: true,
  config: `
global: { scrape_interval: 100ms, scrape_timeout: 100ms }
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['${shopUrl.host}'] }] }]
`,
});
if (server) ofFile.push(() => server.stop());
afterAll(async () => {
  for (const close of ofFile.reverse()) await close();
});

(server ? describe : describe.skip)('a real Prometheus', () => {
  const countedBy = async (source: MetricsSource, known: Snapshot | undefined) => {
    const reading = await read(source, server?.url ?? '');
    if (reading.outcome !== 'taken')
      return { failure: reading.failure, increase: 0, snapshot: known };
    const values = Object.fromEntries(reading.samples.map(({ series, value }) => [series, value]));
    return increase(known, { at: reading.at, values });
  };

  it('that hangs or is restarted loses no counts: the next reading has them all', async () => {
    const source = prometheusSource({ ...quick, timeoutMs: 1_000 });
    const first = await eventually(async () => {
      const now = await countedBy(source, undefined);
      return 'kind' in now && Object.keys(now.snapshot.values).length > 0 ? now : undefined;
    }, 20_000);
    let known: Snapshot | undefined = first.snapshot;
    let counted = 0;
    const failures = new Set<string>();
    const upTo = (total: number) =>
      eventually(async () => {
        const next = await countedBy(source, known);
        if ('failure' in next) failures.add(next.failure);
        counted += next.increase;
        known = next.snapshot;
        return counted === total;
      }, 30_000);

    shop.count = 3;
    await upTo(3);
    server?.freeze();
    shop.count = 10;
    await eventually(async () => {
      const next = await countedBy(source, known);
      return 'failure' in next && next.failure === 'unreachable';
    }, 20_000);
    server?.resume();
    await upTo(10);
    await server?.kill();
    shop.count = 14;
    await eventually(async () => 'failure' in (await countedBy(source, known)), 20_000);
    await server?.restart();
    await upTo(14);
  });
});
