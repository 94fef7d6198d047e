import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService } from '@tidegate/platform/testing';
import { openServerIfAny } from '../../../../test/servers/servers.ts';
import { metricsGatekeeper } from '../index.ts';
import type { RehearsalAnswer } from './rehearsals.handler.ts';

jest.setTimeout(60_000);

/** An application's /metrics: each scrape finds 100 more requests, of which so many failed. */
const load = { failing: 0, scrapes: 0 };
const counted = { ok: 0, failed: 0 };
const server = createServer((_request, response) => {
  counted.ok += 100 - load.failing;
  counted.failed += load.failing;
  load.scrapes += 1;
  const lines = [
    `requests_total{status="ok"} ${counted.ok}`,
    `requests_total{status="error"} ${counted.failed}`,
    '',
  ];
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(lines.join('\n'));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
const prometheus = await openServerIfAny('prometheus', {
  own: true,
  config: `
global: { scrape_interval: 100ms, scrape_timeout: 100ms }
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['${address}'] }] }]
`,
});
afterAll(async () => {
  await prometheus?.stop();
  server.closeAllConnections();
  server.close();
});

const PLAN = `
plan: open-checkout
flag: checkout-v2
checkEvery: 200ms
metrics:
  errors:
    type: ratio
    source: { prometheus: { scrapeInterval: 200ms } }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
  share:
    type: promql
    query: sum(rate(requests_total{status="error"}[2s])) / sum(rate(requests_total[2s]))
  scraped:
    type: ratio
    source: { scrape: ['http://${address}/'] }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 5%, detect: 50% }
  - { name: as-written, judge: immediate, metric: share, above: 0.9 }
  - { name: direct, judge: sequential, metric: scraped, limit: 50%, detect: 90% }
steps:
  - { stage: canary, percentage: 10, hold: 1s }
  - { stage: all, percentage: 100, hold: 1s }
`;

(prometheus ? describe : describe.skip)('the past of a real Prometheus', () => {
  const url = prometheus?.url ?? '';
  const span = { from: 0, until: 0 };

  it('is lived through: an application that is well, then fails', async () => {
    const scraped = async (times: number): Promise<void> => {
      const enough = load.scrapes + times;
      await eventually(() => load.scrapes > enough, 30_000);
    };
    await scraped(30);
    span.from = Date.now();
    await scraped(60);
    span.until = Date.now();
    load.failing = 60;
    await scraped(30);
  });

  it('is what a plan is rehearsed on, read where the plan reads or where the request says', async () => {
    const service = await startTestService(metricsGatekeeper, { env: { PROMETHEUS_URL: url } });
    const rehearse = (from: number, until: number, more = {}) =>
      service.post<RehearsalAnswer & { detail?: string }>('/v1/plans/open-checkout/rehearse', {
        text: PLAN,
        data: { prometheus: { from, until } },
        ...more,
      });
    const well = await rehearse(span.from, span.until, { inject: ['errors+60%@canary'] });
    expect(well.body).toMatchObject({ ended: { outcome: 'completed' } });
    expect(well.body.injections).toMatchObject([{ firedBy: expect.anything() }]);
    const failing = await rehearse(span.until, Date.now());
    expect(failing.body).toMatchObject({ ended: { outcome: 'rolled-back' } });
    await service.stop();
  });

  it('that cannot be read is said to be so', async () => {
    const service = await startTestService(metricsGatekeeper);
    const rehearse = (prometheus: object) =>
      service.post<{ code: string; detail: string }>('/v1/plans/open-checkout/rehearse', {
        text: PLAN,
        data: { prometheus: { ...span, ...prometheus } },
      });
    expect((await rehearse({})).body).toMatchObject({ code: 'REHEARSAL_NO_PROMETHEUS' });
    const { status, body } = await rehearse({ url: 'http://127.0.0.1:9' });
    expect([status, body.code]).toEqual([422, 'REHEARSAL_DATA_UNREADABLE']);
    expect(body.detail).toContain('http://127.0.0.1:9');
    await service.stop();
  });
});
