import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { openServerIfAny } from '../../../../test/servers/servers.ts';
import { metricsGatekeeper } from '../index.ts';
import { FlagDouble } from '../rollout/flag-service.memory.ts';

jest.setTimeout(60_000);

/** An application's /metrics: each scrape finds 100 more requests, of which so many failed and so many were slow. */
async function application() {
  const load = { failing: 0, slow: 5, queue: 3, up: true };
  const counted = { ok: 0, failed: 0, fast: 0, all: 0 };
  const server = createServer((_request, response) => {
    counted.ok += 100 - load.failing;
    counted.failed += load.failing;
    counted.fast += 100 - load.slow;
    counted.all += 100;
    const lines = [
      '# TYPE requests_total counter',
      `requests_total{status="ok"} ${counted.ok}`,
      `requests_total{status="error"} ${counted.failed}`,
      '# TYPE violations_total counter',
      '# TYPE latency_seconds histogram',
      `latency_seconds_bucket{le="0.5"} ${counted.fast}`,
      `latency_seconds_bucket{le="+Inf"} ${counted.all}`,
      `latency_seconds_sum ${counted.all}`,
      `latency_seconds_count ${counted.all}`,
      '# TYPE queue_length gauge',
      `queue_length ${load.queue}`,
      '',
    ];
    response
      .writeHead(load.up ? 200 : 503, { 'content-type': 'text/plain; version=0.0.4' })
      .end(lines.join('\n'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, load, close };
}

const [app, one, other] = [await application(), await application(), await application()];
const prometheus = await openServerIfAny('prometheus', {
  own: true,
  config: `
global: { scrape_interval: 100ms, scrape_timeout: 100ms }
scrape_configs:
  - { job_name: shop, static_configs: [{ targets: ['${app.address}'] }] }
  - { job_name: pair, static_configs: [{ targets: ['${one.address}', '${other.address}'] }] }
`,
});
afterAll(async () => {
  await prometheus?.stop();
  for (const each of [app, one, other]) each.close();
});

const plan = `
plan: open-checkout
flag: checkout-v2
checkEvery: 200ms
pageAfter: 1s
metrics:
  errors:
    type: ratio
    source: { prometheus: { scrapeInterval: 200ms } }
    bad: { metric: requests_total, where: { job: shop, status: error } }
    total: { metric: requests_total, where: { job: shop } }
  violations:
    type: count
    source: { prometheus: { url: '${prometheus?.url ?? 'http://none'}', scrapeInterval: 200ms } }
    count: { metric: violations_total, where: { job: shop } }
  scraped:
    type: ratio
    source: { scrape: ['http://${app.address}/'] }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1%, detect: 6% }
  - { name: invariant, judge: immediate, metric: violations }
  - { name: direct, judge: sequential, metric: scraped, limit: 50%, gate: none }
steps:
  - { stage: canary, percentage: 10, hold: 600ms }
  - { stage: all, percentage: 100, hold: 600ms }
`;

/** A plan with other metrics and guards. */
const planOf = (metrics: string, guards: string): string => `
plan: open-checkout
flag: checkout-v2
checkEvery: 200ms
pageAfter: 1s
metrics:
${metrics}
guards:
${guards}
steps:
  - { stage: canary, percentage: 10, hold: 1s }
`;
const SOURCE = 'source: { prometheus: { scrapeInterval: 200ms } }';
const histogram = (over: string): string =>
  `{ type: latency, ${SOURCE}, histogram: { metric: latency_seconds, where: { job: shop } }, over: ${over}, baseline: { recorded: { for: 1m } } }`;
const kinds = planOf(
  `
  slow: ${histogram('500ms')}
  queue: { type: value, ${SOURCE}, gauge: { metric: queue_length, where: { job: shop } } }
  share: { type: promql, ${SOURCE}, query: 'sum(rate(requests_total{job="shop",status="error"}[1s])) / sum(rate(requests_total{job="shop"}[1s]))' }`,
  `
  - { name: p95, judge: sequential, metric: slow, margin: 100%, gate: none }
  - { name: backlog, judge: sustained, metric: queue, above: 100, for: 1s }
  - { name: failing, judge: immediate, metric: share, above: 50% }`,
);

interface Shown extends Record<string, unknown> {
  readonly guards: readonly { guard: string; reason: string; message: string }[];
}

const services: TestService[] = [];
afterEach(async () => {
  for (const service of services.splice(0)) await service.stop();
});

async function start(env: Record<string, string>, text = plan) {
  const service = await startTestService(metricsGatekeeper, { env });
  services.push(service);
  await new FlagDouble(service.context, { environment: 'test', key: 'checkout-v2' }).listen();
  expect((await service.put('/v1/plans/open-checkout', text)).status).toBe(201);
  const body = { plan: 'open-checkout', environment: 'test' };
  const { id } = (await service.post<{ id: string }>('/v1/rollouts', body)).body;
  return {
    service,
    becomes: (wanted: object): Promise<Shown> =>
      eventually(async () => {
        const { body: shown } = await service.get<Shown>(`/v1/rollouts/${id}`);
        expect(shown).toMatchObject(wanted);
        return shown;
      }, 20_000),
  };
}

(prometheus ? describe : describe.skip)('a rollout on a real Prometheus', () => {
  const env = { PROMETHEUS_URL: prometheus?.url ?? '' };

  it('completes, beside metrics that are scraped', async () => {
    const rollout = await start(env);
    const { guards } = await rollout.becomes({ status: 'completed' });
    expect(guards.map(({ reason }) => reason)).toEqual([
      'error-rate-within-limit',
      'count-within-limit',
      'error-rate-within-limit',
    ]);
  });

  it('is rolled back by what Prometheus has counted', async () => {
    const rollout = await start(env);
    await rollout.becomes({ step: 'canary', phase: 'open' });
    app.load.failing = 20;
    await rollout.becomes({
      status: 'rolled-back',
      rollback: { reason: 'error-rate-too-high', message: expect.stringContaining('error-rate') },
    });
    app.load.failing = 0;
  });

  it('holds while Prometheus cannot scrape the application, and goes on when it can', async () => {
    const rollout = await start(env);
    await rollout.becomes({ step: 'canary', phase: 'open' });
    app.load.up = false;
    await rollout.becomes({ status: 'holding', hold: { reason: 'query-error' } });
    app.load.up = true;
    await rollout.becomes({ status: 'completed' });
  });

  it('completes on latencies compared with what was recorded, gauges and expressions', async () => {
    const rollout = await start(env, kinds);
    const { guards } = await rollout.becomes({ status: 'completed' });
    expect(guards.map(({ guard }) => guard)).toEqual(['p95', 'backlog', 'failing']);
  });

  it.each<[string, Partial<typeof app.load>, Partial<typeof app.load>]>([
    ['p95', { slow: 90 }, { slow: 5 }],
    ['backlog', { queue: 1_000 }, { queue: 3 }],
    ['failing', { failing: 80 }, { failing: 0 }],
  ])('is rolled back by %s alone', async (guard, broken, mended) => {
    const rollout = await start(env, kinds.replace('hold: 1s', 'hold: 1m'));
    await rollout.becomes({ step: 'canary', phase: 'open' });
    Object.assign(app.load, broken);
    await rollout.becomes({ rollback: { message: expect.stringMatching(`^${guard}: `) } });
    Object.assign(app.load, mended);
  });

  it('holds on a histogram without the wanted edge, and says which edges there are', async () => {
    const guards = '  - { name: p95, judge: sequential, metric: slow, limit: 50%, gate: none }';
    const rollout = await start(env, planOf(`  slow: ${histogram('300ms')}`, guards));
    await rollout.becomes({
      status: 'holding',
      hold: { reason: 'empty', message: expect.stringContaining('there are 0.5, +Inf (s).') },
    });
  });

  it('is rolled back when one of its instances vanishes while the other is scraped', async () => {
    const ratio = `{ type: ratio, ${SOURCE}, bad: { metric: requests_total, where: { job: pair, status: error } }, total: { metric: requests_total, where: { job: pair } } }`;
    const guards = '  - { name: error-rate, judge: sequential, metric: errors, limit: 1% }';
    const pair = planOf(`  errors: ${ratio}`, guards).replace('hold: 1s', 'hold: 1m');
    const rollout = await start(env, pair);
    await rollout.becomes({ step: 'canary', phase: 'open' });
    other.load.up = false;
    await rollout.becomes({
      rollback: {
        reason: 'canary-vanished',
        message: expect.stringContaining(other.address),
      },
    });
    other.load.up = true;
  });

  it('does not open without one, and names the option', async () => {
    const rollout = await start({});
    await rollout.becomes({
      status: 'holding',
      hold: { reason: 'query-error', message: expect.stringContaining('PROMETHEUS_URL') },
    });
  });
});
