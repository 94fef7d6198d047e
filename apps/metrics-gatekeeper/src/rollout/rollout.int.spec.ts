import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Message } from '@tidegate/contracts';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { metricsGatekeeper } from '../index.ts';
import { type FlagDouble, flagDouble } from './flag-service.memory.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

/** Resolves once `look` gives something; a spec waits for what must come true, never for time. */
async function until<T>(look: () => T | Promise<T>, what = 'condition'): Promise<NonNullable<T>> {
  const deadline = Date.now() + 8_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for the ${what}`);
    await new Promise(setImmediate);
  }
}

/** An application's /metrics: each scrape finds `perScrape` more requests, of which `failing` in a thousand fail. */
async function target() {
  const counts = { requests: 0, errors: 0, violations: 0 };
  const load = { perScrape: 100, failing: 0, up: true };
  const server: Server = createServer((_request, response) => {
    if (!load.up) {
      response.writeHead(503).end();
      return;
    }
    counts.requests += load.perScrape;
    counts.errors += (load.perScrape * load.failing) / 1_000;
    response
      .writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
      .end(
        [
          '# TYPE requests_total counter',
          `requests_total{status="ok"} ${counts.requests - counts.errors}`,
          `requests_total{status="error"} ${counts.errors}`,
          '# TYPE violations_total counter',
          `violations_total ${counts.violations}`,
          '',
        ].join('\n'),
      );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  return { url, load, counts };
}

const planFor = (url: string, steps?: string): string => `
plan: open-checkout
flag: checkout-v2
checkEvery: 200ms
pageAfter: 2s
metrics:
  errors:
    type: ratio
    source: { scrape: ['${url}'] }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
  violations:
    type: count
    source: { scrape: ['${url}'] }
    count: { metric: violations_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1% }
  - { name: invariant, judge: immediate, metric: violations }
steps:
${
  steps ??
  `  - { stage: canary, percentage: 10, hold: 400ms, minTrials: 200 }
  - { stage: all, percentage: 100, hold: 400ms, minTrials: 200 }`
}
`;

interface World {
  readonly service: TestService;
  readonly app: Awaited<ReturnType<typeof target>>;
  readonly flag: FlagDouble;
  start(steps?: string): Promise<string>;
  rollout(id: string): Promise<Record<string, any>>;
  becomes(id: string, status: string): Promise<Record<string, any>>;
  events(id: string): Message[];
}

async function world(): Promise<World> {
  const app = await target();
  const service = await startTestService(metricsGatekeeper);
  cleanUp.push(() => service.stop());
  const flag = await flagDouble(service.context, { environment: 'test', key: 'checkout-v2' });
  const rollout = async (id: string) => (await service.get(`/v1/rollouts/${id}`)).body;
  return {
    service,
    app,
    flag,
    rollout,
    async start(steps) {
      const put = await service.put('/v1/plans/open-checkout', planFor(app.url, steps));
      expect(put.status).toBe(201);
      const body = { plan: 'open-checkout', environment: 'test' };
      const started = await service.post('/v1/rollouts', body);
      expect(started.status).toBe(201);
      expect(started.headers.get('location')).toBe(`/v1/rollouts/${started.body['id']}`);
      return started.body['id'] as string;
    },
    becomes: (id, status) =>
      until(async () => {
        const found = await rollout(id);
        return found['status'] === status ? found : undefined;
      }, `status ${status}`),
    events: (id) => service.published('rollout.events').filter(({ key }) => key === id),
  };
}

describe('a rollout', () => {
  it('opens a healthy flag stage by stage and completes', async () => {
    const { flag, start, becomes, events } = await world();
    const id = await start();
    const done = await becomes(id, 'completed');
    console.log(JSON.stringify(done, null, 1));
    console.log(
      events(id)
        .map((e) => e.type)
        .join(' '),
    );
    expect(flag.percentage()).toBe(100_000);
  });
  it('rolls back a broken one', async () => {
    const { flag, start, becomes, events, app, service } = await world();
    app.load.failing = 50;
    const id = await start();
    const done = await becomes(id, 'rolled-back');
    console.log(JSON.stringify(done, null, 1));
    await service.idle();
    console.log(
      events(id)
        .map((e) => e.type)
        .join(' '),
    );
    expect(flag.percentage()).toBe(0);
    await service.idle();
    const r = await service.get(`/v1/rollouts/${id}/report?format=markdown`);
    console.log(r.text);
  });
});
