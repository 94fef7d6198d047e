import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { freePort } from '../../../../test/servers/process.ts';
import { openServerIfAny } from '../../../../test/servers/servers.ts';
import { metricsGatekeeper } from '../index.ts';
import { FlagDouble } from '../rollout/flag-service.memory.ts';

jest.setTimeout(60_000);
const PATIENCE_MS = 20_000;

/** Resolves once nothing that `check` expects is missing. */
const holds = (check: () => Promise<void> | void): Promise<true> =>
  eventually(async () => {
    await check();
    return true as const;
  }, PATIENCE_MS);

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

/** An application's /metrics with one counter, which an invariant watches. */
async function application() {
  const counted = { violations: 0 };
  const server = createServer((_request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
      .end(`# TYPE violations_total counter\nviolations_total ${counted.violations}\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`, counted };
}

/** A gatekeeper that tells the Alertmanager at this address, which may not be there yet. */
async function gatekeeper(url: string): Promise<TestService> {
  const env = { ALERTMANAGER_URL: url, METRICS_GATEKEEPER_ALERT_EVERY_MS: '1000' };
  const service = await startTestService(metricsGatekeeper, { env });
  cleanUp.push(() => service.stop());
  await new FlagDouble(service.context, { environment: 'test', key: 'checkout-v2' }).listen();
  return service;
}

/** Rolls back a rollout of a plan by a violation of its invariant. */
async function breached(service: TestService): Promise<string> {
  const { url, counted } = await application();
  const plan = `
plan: open-checkout
flag: checkout-v2
checkEvery: 200ms
metrics:
  violations: { type: count, source: { scrape: ['${url}'] }, count: { metric: violations_total } }
guards:
  - { name: invariant, judge: immediate, metric: violations }
steps:
  - { stage: canary, percentage: 10, hold: 1h }
`;
  expect((await service.put('/v1/plans/open-checkout', plan)).status).toBe(201);
  const body = { plan: 'open-checkout', environment: 'test' };
  const { id } = (await service.post<{ id: string }>('/v1/rollouts', body)).body;
  const becomes = (wanted: object) =>
    holds(async () => expect((await service.get(`/v1/rollouts/${id}`)).body).toMatchObject(wanted));
  await becomes({ phase: 'open' });
  counted.violations += 1;
  await becomes({ status: 'rolled-back' });
  return id;
}

interface Known {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

describe('a breach, told to the real Alertmanager', () => {
  it('waits until it answers, fires, comes back without an effect, and is over with its rollout', async () => {
    const port = await freePort();
    const service = await gatekeeper(`http://127.0.0.1:${port}/`);
    const rollout = await breached(service);
    const away = { msg: 'ALERTMANAGER_URL does not take alerts; they are sent again' };
    await holds(() => expect(service.log).toContainEqual(expect.objectContaining(away)));

    const alertmanager = await openServerIfAny('alertmanager', {
      own: true,
      port,
      config: `
route: { receiver: tidegate, group_wait: 1ms, group_interval: 1s }
receivers:
  - name: tidegate
    webhook_configs:
      - url: ${service.url}/v1/alertmanager
        http_config: { authorization: { credentials: ${service.keyOf('operator', 'test')} } }
`,
    });
    if (!alertmanager) return;
    cleanUp.push(() => alertmanager.stop());
    const active = async (): Promise<readonly Known[]> =>
      (await (await fetch(`${alertmanager.url}/api/v2/alerts`)).json()) as Known[];
    await holds(async () =>
      expect(await active()).toMatchObject([
        {
          labels: {
            alertname: 'TidegateBreach',
            tidegate: 'true',
            environment: 'test',
            rollout,
            plan: 'open-checkout',
            flag: 'checkout-v2',
            guard: 'invariant',
          },
          annotations: { summary: expect.stringContaining('invariant') },
        },
      ]),
    );
    const back = () => service.log.filter(({ route }) => route === '/v1/alertmanager');
    await eventually(() => back().length >= 1, PATIENCE_MS);
    await holds(async () => expect(await active()).toEqual([]));
    await service.idle();
    expect(service.published('metric.breaches')).toHaveLength(1);
    expect(service.log).not.toContainEqual(
      expect.objectContaining({ msg: 'alerts that can roll nothing back' }),
    );
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toMatch(
      /tidegate_gatekeeper_alertmanager_posts_total\{result="failed"\} [1-9]/,
    );
  });

  it('that somebody else has noticed is not told: they know', async () => {
    const service = await gatekeeper('http://127.0.0.1:1');
    const breach = {
      environment: 'test',
      labels: { flag: 'checkout-v2' },
      guard: 'by-hand',
      message: 'orders fail',
    };
    expect((await service.post('/v1/breaches', breach)).status).toBe(202);
    await service.idle();
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).not.toContain('tidegate_gatekeeper_alertmanager_posts_total{');
  });
});
