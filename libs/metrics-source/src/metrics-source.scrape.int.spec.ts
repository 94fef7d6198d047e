import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { manualClock } from '@tidegate/kernel/testing';
import { metricsSourceContract, type Served } from './metrics-source.contract.ts';
import { scrapeSource } from './metrics-source.scrape.ts';

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A real HTTP server; resolves to its address. */
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
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

const answering =
  (served: () => Served): Handler =>
  (request, response) => {
    const now = served();
    if ('text' in now) response.end(now.text);
    else if (now.failure === 'unreachable') request.socket.destroy();
    else if (now.failure === 'bad-status') response.writeHead(503).end('busy');
    else response.end('<html>\n<body>Not found</body>\n</html>\n');
  };

describe('scraping', () => {
  metricsSourceContract(async () => {
    const clock = manualClock(1_790_000_000_000);
    const answers = new Map<string, Served>();
    return {
      source: scrapeSource({ clock }),
      evaluates: false,
      nextInstant: () => {
        clock.advance(5_000);
        return clock.now();
      },
      serve: async (served) => {
        const target = await listen(answering(() => answers.get(target) ?? served));
        return target;
      },
      change: async (target, served) => {
        answers.set(target, served);
      },
    };
  });
});

const request = (target: string, ...metrics: string[]) => [{ target, metrics }];
const START = 1_790_000_000_000;

describe('a scrape', () => {
  it('that is refused names the reason', async () => {
    const target = await listen(() => undefined);
    await Promise.all(opened.splice(0).map((close) => close()));
    const source = scrapeSource({ clock: manualClock(START) });
    expect(await source.read(request(target, 'a'), START)).toMatchObject([
      { failure: 'unreachable', message: expect.stringContaining('ECONNREFUSED') },
    ]);
  });

  it('whose connection breaks is tried once more, and not again', async () => {
    let turn = 0;
    const target = await listen((incoming, response) => {
      turn += 1;
      if (turn === 1 || turn > 2) incoming.socket.destroy();
      else response.end('a_total 1\n');
    });
    const clock = manualClock(START);
    const source = scrapeSource({ clock, shareForMs: 0 });
    expect(await source.read(request(target, 'a_total'), START)).toMatchObject([
      { samples: [{ value: 1 }] },
    ]);
    clock.advance(1_000);
    expect(await source.read(request(target, 'a_total'), clock.now())).toMatchObject([
      { failure: 'unreachable' },
    ]);
    expect(turn).toBe(4);
  });

  it.each<[string, Handler]>([
    ['never begins', () => undefined],
    ['never ends', (_request, response) => void response.write('a_total 1\n')],
  ])('whose answer %s gives up in time', async (_title, handler) => {
    const target = await listen(handler);
    const source = scrapeSource({ clock: manualClock(START), timeoutMs: 50 });
    expect(await source.read(request(target, 'a_total'), START)).toMatchObject([
      { outcome: 'failed', failure: 'timeout', message: `${target} did not answer within 50 ms.` },
    ]);
  });

  it('does not fetch more than the cap, packed or not', async () => {
    const text = 'a_total 1\n'.repeat(10_000);
    const plain = await listen((_request, response) => void response.end(text));
    const packed = await listen((_request, response) => {
      response.setHeader('content-encoding', 'gzip').end(gzipSync(text));
    });
    const source = scrapeSource({ clock: manualClock(START), maxBytes: 50_000 });
    expect(
      await source.read([...request(plain, 'a_total'), ...request(packed, 'a_total')], START),
    ).toMatchObject([{ failure: 'too-large' }, { failure: 'too-large' }]);
  });

  it('that breaks within a value is no value', async () => {
    const announced = await listen((_request, response) => {
      response.setHeader('content-length', 100).write('a_total 12');
      response.socket?.end();
    });
    const unannounced = await listen((_request, response) => {
      response.socket?.end('HTTP/1.0 200 OK\r\n\r\na_total 12');
    });
    const whole = await listen((_request, response) => void response.end('a_total 12'));
    const source = scrapeSource({ clock: manualClock(START) });
    const targets = [announced, unannounced, whole];
    expect(
      await source.read(
        targets.map((target) => ({ target, metrics: ['a_total'] })),
        START,
      ),
    ).toMatchObject([
      { failure: 'unreachable' },
      { failure: 'unparsable' },
      { samples: [{ value: 12 }] },
    ]);
  });

  it('never asks an address with credentials, and does not repeat them', async () => {
    const source = scrapeSource({ clock: manualClock(START) });
    const targets = ['http://alex:secret@127.0.0.1:1/metrics', 'file:///etc/passwd', 'nonsense'];
    const readings = await source.read(
      targets.map((target) => ({ target, metrics: [] })),
      START,
    );
    expect(readings.map((each) => each.outcome === 'failed' && each.failure)).toEqual(
      targets.map(() => 'not-allowed'),
    );
    expect(readings[0]).toMatchObject({ message: expect.not.stringContaining('secret') });
  });

  it('asks as Prometheus does, so that metrics have the names that they have there', async () => {
    const accepted: unknown[] = [];
    const target = await listen((incoming, response) => {
      accepted.push(incoming.headers.accept);
      response.end('a_total 1\n');
    });
    await scrapeSource({ clock: manualClock(START) }).read(request(target, 'a_total'), START);
    expect(accepted).toEqual([
      expect.stringMatching(/^application\/openmetrics-text;version=1\.0\.0.*text\/plain/),
    ]);
  });

  it('of OpenMetrics that lacks its end is cut off, whatever the lines say', async () => {
    const target = await listen((_request, response) => {
      response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0');
      response.end('a_total 1\n');
    });
    const source = scrapeSource({ clock: manualClock(START) });
    expect(await source.read(request(target, 'a_total'), START)).toMatchObject([
      { failure: 'unparsable', message: expect.stringContaining('does not end with # EOF') },
    ]);
  });

  it('takes timestamps of OpenMetrics as seconds', async () => {
    const target = await listen((_request, response) => {
      response.setHeader('content-type', 'application/openmetrics-text; version=1.0.0');
      response.end('a_total 1 1790000000.5 # {trace_id="x"} 1\n# EOF\n');
    });
    const source = scrapeSource({ clock: manualClock(START) });
    expect(await source.read(request(target, 'a_total'), START)).toMatchObject([
      { samples: [{ at: 1_790_000_000_500, value: 1 }] },
    ]);
  });
});

describe('many callers', () => {
  const counting = async () => {
    const asked: string[] = [];
    const target = await listen((incoming, response) => {
      asked.push(String(incoming.url));
      response.end(`a_total ${asked.length}\nb_total 7\n`);
    });
    return { target, asked };
  };

  it('at one instant are one request to the target, whatever each wants of it', async () => {
    const { target, asked } = await counting();
    const source = scrapeSource({ clock: manualClock(START) });
    const wants = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 'a_total' : 'b_total'));
    const readings = await Promise.all(
      wants.map((want) => source.read(request(target, want), START)),
    );
    expect(asked).toHaveLength(1);
    expect(readings.map(([each]) => each?.outcome === 'taken' && each.samples[0]?.name)).toEqual(
      wants,
    );
  });

  it('share an answer that is fresh enough, and no older one', async () => {
    const { target, asked } = await counting();
    const clock = manualClock(START);
    const source = scrapeSource({ clock, shareForMs: 500 });
    const read = () => source.read(request(target, 'a_total'), clock.now());
    const [first] = await read();
    clock.advance(500);
    expect(await read()).toEqual([first]);
    clock.advance(1);
    expect(await read()).toMatchObject([{ at: START + 501, samples: [{ value: 2 }] }]);
    expect(asked).toHaveLength(2);
  });

  it('that wanted an earlier instant share what was read after it', async () => {
    const { target, asked } = await counting();
    const clock = manualClock(START);
    const source = scrapeSource({ clock, shareForMs: 0 });
    const [first] = await source.read(request(target, 'a_total'), START);
    clock.advance(5_000);
    expect(await source.read(request(target, 'a_total'), START - 10)).toEqual([first]);
    expect(asked).toHaveLength(1);
  });

  it('read anew when the clock was set back', async () => {
    const { target, asked } = await counting();
    const clock = manualClock(START);
    const source = scrapeSource({ clock });
    await source.read(request(target, 'a_total'), START);
    clock.advance(-3_600_000);
    expect(await source.read(request(target, 'a_total'), clock.now())).toMatchObject([
      { at: START - 3_600_000 },
    ]);
    expect(asked).toHaveLength(2);
  });
});
