import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { openServerIfAny } from '../../../test/servers/servers.ts';
import { metricsSourceContract, RULE, type Served } from './metrics-source.contract.ts';
import { prometheusTarget, sourceByTarget } from './metrics-source.handler.ts';
import type { Reading, TakenReading } from './metrics-source.port.ts';
import { prometheusSource } from './metrics-source.prometheus.ts';
import { scrapeSource } from './metrics-source.scrape.ts';

jest.setTimeout(30_000);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const ofTest: (() => Promise<unknown>)[] = [];
const ofFile: (() => Promise<unknown>)[] = [];
const closeAll = async (open: (() => Promise<unknown>)[]): Promise<void> => {
  for (const close of open.splice(0).reverse()) await close();
};
afterEach(() => closeAll(ofTest));
afterAll(() => closeAll(ofFile));

/** A real HTTP server; resolves to its address. */
async function listen(handler: Handler, until = ofTest): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  until.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A real Prometheus, and what its target shows: text, or undefined while it is down. */
interface Scraped {
  readonly url: string;
  /** Resolves once Prometheus has scraped it. */
  show(text: string | undefined): Promise<void>;
}

const RULES = `
groups:
  - name: shop
    rules:
      - { alert: ${RULE}, expr: 'failing > 0' }
      - { alert: Broken, expr: 'label_replace(a_total, "x", "$1", "code", "(.*)") * on () a_total' }
`;

async function openScraped(relabel = ''): Promise<Scraped | undefined> {
  const target: { text: string | undefined; asked: number } = { text: '', asked: 0 };
  const url = await listen((_request, response) => {
    target.asked += 1;
    response
      .writeHead(target.text === undefined ? 503 : 200, { 'content-type': 'text/plain' })
      .end(target.text);
  }, ofFile);
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-rules-'));
  ofFile.push(() => rm(folder, { recursive: true }));
  const rules = join(folder, 'rules.yml');
  await writeFile(rules, RULES);
  const config = `
global: { scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms }
rule_files: ['${rules}']
scrape_configs:
  - job_name: shop
    static_configs: [{ targets: ['${new URL(url).host}'] }]
${relabel}`;
  const server = await openServerIfAny('prometheus', { own: true, config });
  if (!server) return undefined;
  ofFile.push(() => server.stop());
  return {
    url: server.url,
    async show(shown) {
      target.text = shown;
      const scrapedWithIt = target.asked + 2; // one may be under way, the next comes after it is stored
      await eventually(() => target.asked > scrapedWithIt, 15_000);
    },
  };
}

// The suite knows of no labels beside the target's own.
const bare = '    metric_relabel_configs: [{ action: labeldrop, regex: instance|job }]\n';
const [first, second, full] = await Promise.all([
  openScraped(bare),
  openScraped(bare),
  openScraped(),
]);
const withPrometheus = first && second && full ? describe : describe.skip;

const clock = { now: () => Date.now() };
let last = 0;
const nextInstant = (): number => (last = Math.max(last + 1, Date.now()));

const failing: Readonly<Record<Extract<Served, { failure: string }>['failure'], Handler>> = {
  unreachable: (request) => void request.socket.destroy(),
  'bad-status': (_request, response) => void response.writeHead(503).end('busy'),
  unparsable: (_request, response) => void response.end('<html>Not found</html>'),
};

/** Answers like the Prometheus behind it, until the request matches. */
const relay =
  (url: () => string, seen: (request: string, body: string) => void = () => undefined): Handler =>
  (request, response) => {
    void text(request).then(async (body) => {
      seen(String(request.url), body);
      const { method = 'GET', headers } = request;
      const answer = await fetch(`${url()}${request.url}`, {
        method,
        headers: { 'content-type': String(headers['content-type']) },
        ...(method === 'POST' ? { body } : {}),
      });
      response.writeHead(answer.status).end(await answer.text());
    });
  };

withPrometheus('Prometheus', () => {
  metricsSourceContract(async () => {
    const free = [first, second];
    const served = new Map<string, Served>();
    const behind = new Map<string, Scraped>();
    const set = async (target: string, answer: Served): Promise<void> => {
      if ('text' in answer) {
        const scraped = behind.get(target) ?? free.shift();
        if (!scraped) throw new Error('The suite wants more targets than there are.');
        behind.set(target, scraped);
        await scraped.show(answer.text);
      }
      served.set(target, answer);
    };
    return {
      source: prometheusSource({ clock, shareForMs: 0 }),
      evaluates: true,
      nextInstant,
      serve: async (answer) => {
        const target = await listen((request, response) => {
          const now = served.get(target);
          const handler =
            now && 'failure' in now
              ? failing[now.failure]
              : relay(() => behind.get(target)?.url ?? '');
          handler(request, response);
        });
        await set(target, answer);
        return target;
      },
      change: set,
    };
  });

  const taken = (reading: Reading | undefined): TakenReading => {
    if (reading?.outcome !== 'taken') throw new Error(`not taken: ${JSON.stringify(reading)}`);
    return reading;
  };
  const here = full ?? { url: '', show: async () => undefined };
  const readHere = async (metric: string, where = {}): Promise<TakenReading> => {
    const selectors = [{ metric, where }];
    const request = { target: here.url, metrics: [metric], selectors };
    const [reading] = await prometheusSource({ clock }).read([request], nextInstant());
    return taken(reading);
  };

  it('gives the series that a selector chooses, and of what instant they are', async () => {
    await here.show('a_total{code="200"} 5\na_total{code="500"} 1\na_total 3\n');
    const before = Date.now();
    const reading = await readHere('a_total', { code: ['500', ''], job: 'shop' });
    expect(reading.samples.map(({ value }) => value).toSorted((a, b) => a - b)).toEqual([1, 3]);
    expect(reading.samples[0]?.labels['job']).toBe('shop');
    expect(reading.at).toBeLessThanOrEqual(Date.now());
    expect(reading.at).toBeGreaterThan(before - 2_000);
    expect(reading).not.toHaveProperty('lacks');
  });

  it('gives NaN and infinities as they are, and no series for what has ended', async () => {
    await here.show(
      'odd_total{n="nan"} NaN\nodd_total{n="plus"} +Inf\nodd_total{n="minus"} -Inf\n',
    );
    const { samples } = await readHere('odd_total');
    expect(new Set(samples.map(({ value }) => value))).toEqual(
      new Set([Number.NaN, Infinity, -Infinity]),
    );
    await here.show('a_total 1\n');
    expect(await readHere('odd_total')).toMatchObject({ samples: [], declared: [] });
  });

  it('gives a sample the time that its exporter says, so that an old one is noticed', async () => {
    const old = Date.now() - 60_000;
    await here.show(`old_total 5 ${old}\nnew_total 1\n`);
    const request = { target: here.url, metrics: ['old_total', 'new_total'] };
    const [reading] = await prometheusSource({ clock }).read([request], nextInstant());
    const { samples, at } = taken(reading);
    expect(samples.map((sample) => sample.at)).toEqual([old, at]);
  });

  it('tells what is missing since a target is down, and gives no old values for it', async () => {
    await here.show('a_total 5\n# TYPE silent_total counter\n');
    expect(await readHere('silent_total')).toMatchObject({ declared: ['silent_total'] });
    await here.show(undefined);
    expect(await readHere('a_total')).toMatchObject({
      samples: [],
      declared: [],
      lacks: expect.stringMatching(/cannot scrape 127\.0\.0\.1:\d+ \(shop\), which had a_total/),
    });
    const silent = await readHere('silent_total');
    expect(silent).toMatchObject({
      samples: [],
      declared: [],
      lacks: expect.stringMatching(/cannot scrape .* which had silent_total/),
    });
    await here.show('a_total 6\n');
    expect(await readHere('a_total')).toMatchObject({ samples: [{ value: 6 }] });
  });

  it('tells of which selector something is missing, and of which nothing is', async () => {
    await here.show('a_total 5\n');
    const [one, other] = ['shop', 'other'].map((job) => ({ metric: 'a_total', where: { job } }));
    await here.show(undefined);
    const selectors = [other, one].flatMap((each) => each ?? []);
    const request = { target: here.url, metrics: ['a_total'], selectors };
    const [reading] = await prometheusSource({ clock }).read([request], nextInstant());
    const { lacks, lacking } = taken(reading);
    expect(lacking).toEqual([{ selector: one, message: lacks }]);
    await here.show('a_total 6\n');
  });

  it('does not know a metric for a target that its selector excludes', async () => {
    await here.show('# TYPE silent_total counter\n');
    expect(await readHere('silent_total', { job: 'other' })).toMatchObject({ declared: [] });
  });

  it('asks once for what many want at an instant, and does not repeat it within a query', async () => {
    await here.show('a_total 5\nb_total 7\n');
    const queries: string[] = [];
    const target = await listen(
      relay(
        () => here.url,
        (_url, body) => void queries.push(body),
      ),
    );
    const source = prometheusSource({ clock });
    const at = nextInstant();
    const wants = Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? 'a_total' : 'b_total'));
    const readings = await Promise.all(
      wants.map((metric) => source.read([{ target, metrics: [metric] }], at)),
    );
    expect(queries).toHaveLength(1);
    expect(decodeURIComponent(String(queries[0])).match(/timestamp\(/g)).toHaveLength(2);
    expect(readings.map(([each]) => taken(each).samples[0]?.name)).toEqual(wants);
    await source.read([{ target, metrics: ['a_total'] }], at + 400);
    expect(queries).toHaveLength(1);
    await source.read([{ target, metrics: ['a_total'] }], at + 1_000);
    expect(queries).toHaveLength(2);
  });

  it('refuses a selector of too many series, in words that help, and answers the others', async () => {
    const many = Array.from({ length: 30 }, (_, i) => `a_total{user="${i}"} 1\n`).join('');
    await here.show(`${many}b_total 7\n`);
    const source = prometheusSource({ clock, maxSeries: 20 });
    const at = nextInstant();
    const read = (metric: string) => source.read([{ target: here.url, metrics: [metric] }], at);
    const [[large], [small]] = await Promise.all([read('a_total'), read('b_total')]);
    expect(large).toMatchObject({
      failure: 'too-large',
      message: expect.stringMatching(/30 series of \{__name__="a_total"\}; at most 20 .* labels/),
    });
    expect(small).toMatchObject({ samples: [{ value: 7 }] });
    const [both] = await source.read([{ target: here.url, metrics: ['a_total', 'b_total'] }], at);
    expect(both).toMatchObject({
      samples: [{ value: 7 }],
      declared: ['b_total'],
      unread: [{ selector: { metric: 'a_total', where: {} }, failure: 'too-large' }],
    });
  });

  it('splits what is too large or refused together, until only the culprit fails', async () => {
    const many = Array.from({ length: 300 }, (_, i) => `a_total{user="${i}"} 1\n`).join('');
    await here.show(`${many}${Array.from({ length: 9 }, (_, i) => `b${i}_total 7\n`).join('')}`);
    const source = prometheusSource({ clock, maxBytes: 10_000 });
    const metrics = ['a_total', ...Array.from({ length: 9 }, (_, i) => `b${i}_total`)];
    const at = nextInstant();
    const readings = await Promise.all(
      metrics.map((metric) => source.read([{ target: here.url, metrics: [metric] }], at)),
    );
    expect(readings.map(([each]) => each?.outcome)).toEqual([
      'failed',
      ...Array.from({ length: 9 }, () => 'taken'),
    ]);
  });

  it('evaluates what is written, and refuses in its own words what cannot be', async () => {
    await here.show('a_total{code="200"} 30\na_total{code="500"} 10\n');
    const ratio = 'sum(a_total{code="500"}) / sum(a_total)';
    const queries = [
      ratio,
      'a_total',
      'scalar(sum(a_total))',
      'a_total[5m]',
      'nonsense(',
      'b_total',
    ];
    const [reading] = await prometheusSource({ clock }).read(
      [{ target: here.url, metrics: ['a_total'], queries }],
      nextInstant(),
    );
    const { answers = {}, samples } = taken(reading);
    expect(samples).toHaveLength(2);
    expect(answers[ratio]).toMatchObject({ points: [{ labels: {}, value: 0.25 }] });
    const lines = { points: [{ value: 30 }, { value: 10 }] };
    expect(answers['a_total']).toMatchObject(lines);
    expect(answers['scalar(sum(a_total))']).toMatchObject({ points: [{ labels: {}, value: 40 }] });
    expect(answers['a_total[5m]']).toMatchObject({
      failure: 'query-failed',
      message: expect.stringContaining('matrix'),
    });
    expect(answers['nonsense(']).toMatchObject({
      failure: 'query-failed',
      message: expect.stringContaining('bad_data'),
    });
    expect(answers['b_total']).toEqual({ points: [] });
  });

  it('is asked once for an expression that many want, and refuses one of too many series', async () => {
    await here.show(Array.from({ length: 30 }, (_, i) => `a_total{user="${i}"} 1\n`).join(''));
    const bodies: string[] = [];
    const target = await listen(
      relay(
        () => here.url,
        (_url, body) => void bodies.push(body),
      ),
    );
    const source = prometheusSource({ clock, maxSeries: 20 });
    const at = nextInstant();
    const request = { target, metrics: [], queries: ['sum(a_total)', 'a_total'] };
    const readings = await Promise.all(
      Array.from({ length: 50 }, () => source.read([request], at)),
    );
    expect(bodies).toHaveLength(2);
    for (const [reading] of readings)
      expect(taken(reading).answers).toMatchObject({
        'sum(a_total)': { points: [{ value: 30 }] },
        a_total: { failure: 'too-large', message: expect.stringContaining('30 series') },
      });
  });

  it('knows of a rule that it cannot evaluate, and why', async () => {
    await here.show('a_total{code="200"} 1\na_total{code="500"} 1\n');
    const rules = [RULE, 'Broken', 'NobodyWroteThis'];
    const reading = await eventually(async () => {
      const source = prometheusSource({ clock });
      const [now] = await source.read([{ target: here.url, metrics: [], rules }], nextInstant());
      return taken(now).ruleFailures && taken(now);
    }, 15_000);
    expect(reading.rules).toEqual([RULE]);
    expect(reading.ruleFailures).toEqual({
      Broken: expect.stringMatching(/many-to-many|duplicate/),
    });
  });

  it('reads several instants of the past at once, each as it was', async () => {
    await here.show('a_total 1\n');
    const earlier = nextInstant();
    await here.show('a_total 2\n');
    const source = prometheusSource({ clock, shareForMs: 0 });
    const request = [{ target: here.url, metrics: ['a_total'] }];
    const readings = await Promise.all([
      source.read(request, earlier),
      source.read(request, nextInstant()),
    ]);
    expect(readings.map(([each]) => taken(each).samples[0]?.value)).toEqual([1, 2]);
  });

  it('and scraped addresses can be targets of one read', async () => {
    await here.show('a_total 5\n');
    const scraped = await listen((_request, response) => void response.end('a_total 1\n'));
    const source = sourceByTarget({
      scrape: scrapeSource({ clock }),
      prometheus: prometheusSource({ clock }),
      defaultUrl: here.url,
    });
    const targets = [prometheusTarget(), scraped, prometheusTarget(here.url)];
    const requests = targets.map((target) => ({ target, metrics: ['a_total'] }));
    const readings = await source.read(requests, nextInstant());
    expect(readings.map((each) => [each.target, taken(each).samples[0]?.value])).toEqual([
      ['prometheus', 5],
      [scraped, 1],
      [`prometheus:${here.url}`, 5],
    ]);
  });
});

describe('a server that is not well', () => {
  const read = async (target: string, options = {}): Promise<Reading | undefined> => {
    const source = prometheusSource({ clock, timeoutMs: 100, ...options });
    return (await source.read([{ target, metrics: ['a_total'] }], nextInstant()))[0];
  };
  const json = (status: number, body: object): Handler =>
    function answer(_request, response) {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
  const error = (errorType: string) => ({ status: 'error', errorType, error: 'no more memory' });

  it.each<[string, Handler, object]>([
    ['slow', () => undefined, { failure: 'timeout' }],
    ['slow in the middle', (_, response) => void response.write('{'), { failure: 'timeout' }],
    ['out of its own time', json(503, error('timeout')), { failure: 'timeout' }],
    [
      'out of memory',
      json(422, error('execution')),
      { failure: 'query-failed', message: expect.stringContaining('execution: no more memory') },
    ],
    [
      'without a store',
      json(200, { status: 'success', data: {}, warnings: ['store b'] }),
      {
        failure: 'query-failed',
        message: expect.stringContaining('store b'),
      },
    ],
    [
      'in error, though its status is 200',
      json(200, error('bad_data')),
      { failure: 'query-failed', message: expect.stringContaining('bad_data: no more memory') },
    ],
    [
      'a page for people',
      (_, response) => void response.end('<html></html>'),
      { failure: 'unparsable' },
    ],
    [
      'broken off',
      (_, response) => void response.end('{"status":"succ'),
      { failure: 'unparsable' },
    ],
    ['not there', (request) => void request.socket.destroy(), { failure: 'unreachable' }],
    ['closed to us', json(401, {}), { failure: 'bad-status' }],
    ['something else', json(200, []), { failure: 'unparsable' }],
    ['verbose', (_, response) => void response.end(' '.repeat(10_000)), { failure: 'too-large' }],
  ])('%s fails by its kind, and by its name', async (_what, handler, expected) => {
    const target = await listen(handler);
    const reading = await read(target, { maxBytes: 5_000 });
    expect(reading).toMatchObject({ outcome: 'failed', target, ...expected });
    expect(reading).toMatchObject({ message: expect.stringContaining(target) });
  });

  it('gets credentials at its own address only', async () => {
    const seen: unknown[] = [];
    const handler: Handler = (request, response) => {
      seen.push(request.headers.authorization);
      json(404, {})(request, response);
    };
    const [ours, theirs] = [await listen(handler), await listen(handler)];
    const credentials = { url: `${ours}/`, authorization: 'Bearer secret' };
    await read(ours, { credentials });
    await read(theirs, { credentials });
    expect(seen).toEqual(['Bearer secret', undefined]);
  });

  it.each(['http://alex:secret@127.0.0.1:1', 'file:///etc/passwd', 'nonsense'])(
    'is never asked at %s',
    async (target) => {
      const reading = await read(target);
      expect(reading).toMatchObject({ failure: 'not-allowed' });
      expect(JSON.stringify(reading?.outcome === 'failed' && reading.message)).not.toContain(
        'secret',
      );
    },
  );

  it('is not asked for a label that cannot be one', async () => {
    const target = await listen(() => undefined);
    const selectors = [{ metric: 'a_total', where: { 'x"} or b{y': '1' } }];
    const [reading] = await prometheusSource({ clock }).read(
      [{ target, metrics: ['a_total'], selectors }],
      nextInstant(),
    );
    expect(reading).toMatchObject({ failure: 'query-failed' });
  });

  it('that nobody has configured is a failure with the name of the option', async () => {
    const source = sourceByTarget({
      scrape: scrapeSource({ clock }),
      prometheus: prometheusSource({ clock }),
    });
    const [reading] = await source.read([{ target: prometheusTarget(), metrics: [] }], 1);
    expect(reading).toMatchObject({
      failure: 'not-allowed',
      message: expect.stringContaining('PROMETHEUS_URL'),
    });
  });
});
