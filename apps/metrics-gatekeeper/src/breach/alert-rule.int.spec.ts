import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { openServerIfAny } from '../../../../test/servers/servers.ts';
import { metricsGatekeeper } from '../index.ts';
import { FlagDouble } from '../rollout/flag-service.memory.ts';

jest.setTimeout(120_000);
const root = join(import.meta.dirname, '../../../..');
const RULES = join(root, 'docs/how-to/examples/alerts/checkout.rules.yml');

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

/** An application's /metrics: each scrape finds 100 more requests, of which so many failed. */
async function application() {
  const load = { failing: 0 };
  const counted = { ok: 0, failed: 0 };
  const server = createServer((_request, response) => {
    counted.ok += 100 - load.failing;
    counted.failed += load.failing;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(
      `# TYPE requests_total counter
requests_total{status="ok"} ${counted.ok}
requests_total{status="error"} ${counted.failed}
`,
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, load };
}

/** Prometheus with the rules of the how-to, and whom it tells. */
const openPrometheus = async (app: string, alertmanager?: string) => {
  const prometheus = await openServerIfAny('prometheus', {
    own: true,
    config: `
global: { scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms }
rule_files: ['${RULES}']
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['${app}'] }] }]
${alertmanager ? `alerting: { alertmanagers: [{ static_configs: [{ targets: ['${new URL(alertmanager).host}'] }] }] }` : ''}
`,
  });
  if (prometheus) cleanUp.push(() => prometheus.stop());
  return prometheus;
};

/** Alertmanager with the configuration of deploy/, which knows this service. */
async function openAlertmanager(service: TestService) {
  const keyFile = join(service.folder, 'alertmanager.key');
  writeFileSync(keyFile, service.keyOf('operator', 'production'));
  const config = readFileSync(join(root, 'deploy/alertmanager/alertmanager.yml'), 'utf8')
    .replace('http://metrics-gatekeeper:7402', service.url)
    .replace('/etc/tidegate/alertmanager.key', keyFile);
  const alertmanager = await openServerIfAny('alertmanager', { own: true, config });
  if (alertmanager) cleanUp.push(() => alertmanager.stop());
  return alertmanager;
}

async function open(env: Record<string, string> = {}): Promise<TestService> {
  const service = await startTestService(metricsGatekeeper, { env });
  cleanUp.push(() => service.stop());
  await new FlagDouble(service.context, { environment: 'production', key: 'checkout-v2' }).listen();
  return service;
}

/** A rollout of this plan; resolves with a way to wait for what becomes of it. */
async function begin(service: TestService, plan: string) {
  expect((await service.put('/v1/plans/open-checkout', plan)).status).toBe(201);
  const body = { plan: 'open-checkout', environment: 'production' };
  const { id } = (await service.post<{ id: string }>('/v1/rollouts', body)).body;
  const becomes = (wanted: object) =>
    eventually(async () => {
      const shown = (await service.get(`/v1/rollouts/${id}`)).body;
      expect(shown).toMatchObject(wanted);
      return shown;
    }, 40_000);
  await becomes({ phase: 'open' });
  return becomes;
}

describe('an alerting rule of the real Prometheus', () => {
  it('rolls back what its labels name, by way of Alertmanager', async () => {
    const { address, load } = await application();
    const service = await open();
    const alertmanager = await openAlertmanager(service);
    if (!alertmanager) return;
    if (!(await openPrometheus(address, alertmanager.url))) return;
    const plan = `
plan: open-checkout
flag: checkout-v2
steps: [{ stage: canary, percentage: 10, hold: 1h }]
`;
    const becomes = await begin(service, plan);
    load.failing = 50;
    expect(await becomes({ status: 'rolled-back' })).toMatchObject({
      rollback: {
        by: 'operator@production',
        reason: 'CheckoutErrors',
        message: 'More than 5 % of the orders fail',
      },
    });
  });

  it('is a metric of a plan, which is judged also without an Alertmanager', async () => {
    const { address, load } = await application();
    const prometheus = await openPrometheus(address);
    if (!prometheus) return;
    const service = await open({ PROMETHEUS_URL: prometheus.url });
    const plan = readFileSync(join(root, 'docs/how-to/examples/alerts/open-checkout.yaml'), 'utf8');
    const becomes = await begin(service, plan);
    await becomes({ guards: [{ guard: 'checkout-errors', outcome: 'pass' }] });
    load.failing = 50;
    expect(await becomes({ rollback: {} })).toMatchObject({
      rollback: { by: 'metrics-gatekeeper', message: expect.stringContaining('checkout-errors') },
    });
  });

  it('that Prometheus does not have is missing data, and no good news', async () => {
    const { address } = await application();
    const prometheus = await openPrometheus(address);
    if (!prometheus) return;
    const service = await open({ PROMETHEUS_URL: prometheus.url });
    const plan = readFileSync(join(root, 'docs/how-to/examples/alerts/open-checkout.yaml'), 'utf8');
    const becomes = await begin(service, plan.replace('alert: CheckoutErrors', 'alert: Misspelt'));
    await becomes({ guards: [{ outcome: 'hold', message: expect.stringContaining('Misspelt') }] });
  });
});
