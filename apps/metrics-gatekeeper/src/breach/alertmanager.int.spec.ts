import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ThresholdBreached } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { openServerIfAny } from '../../../../test/servers/servers.ts';
import { metricsGatekeeper } from '../index.ts';
import { FlagDouble } from '../rollout/flag-service.memory.ts';

jest.setTimeout(60_000);

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

/** A gatekeeper whose rollout of checkout-v2 in `test` is in its only stage, without guards of its own. */
async function rollingOut(): Promise<{ service: TestService; id: string }> {
  const service = await startTestService(metricsGatekeeper);
  cleanUp.push(() => service.stop());
  await new FlagDouble(service.context, { environment: 'test', key: 'checkout-v2' }).listen();
  const plan = `
plan: open-checkout
flag: checkout-v2
steps:
  - { stage: canary, percentage: 10, hold: 1h }
`;
  await service.put('/v1/plans/open-checkout', plan);
  const body = { plan: 'open-checkout', environment: 'test' };
  const { id } = (await service.post<{ id: string }>('/v1/rollouts', body)).body;
  await becomes(service, id, { status: 'running', phase: 'open' });
  return { service, id };
}

interface Shown extends Record<string, unknown> {
  readonly status: string;
}

const shown = async (service: TestService, id: string): Promise<Shown> =>
  (await service.get<Shown>(`/v1/rollouts/${id}`)).body;

const becomes = (service: TestService, id: string, wanted: object): Promise<Shown> =>
  eventually(async () => {
    const body = await shown(service, id);
    expect(body).toMatchObject(wanted);
    return body;
  }, 20_000);

const webhook = (...alerts: object[]) => ({
  version: '4',
  status: 'firing',
  receiver: 'tidegate',
  alerts: alerts.map((alert, index) => ({
    status: 'firing',
    labels: { alertname: 'CheckoutErrors', environment: 'test', flag: 'checkout-v2' },
    annotations: { summary: '5 % of the orders fail' },
    startsAt: new Date().toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus/graph',
    fingerprint: `f-${index}`,
    ...alert,
  })),
});

const breaches = (service: TestService) => service.published('metric.breaches');

describe('the webhook of Alertmanager', () => {
  it('rolls back what a firing alert is about, and says what was done with each', async () => {
    const { service, id } = await rollingOut();
    const body = webhook(
      { labels: { alertname: 'Other', flag: 'checkout-v2' } },
      { labels: { alertname: 'Other', environment: 'test' } },
      { status: 'resolved' },
      {},
    );
    const answer = await service.post('/v1/alertmanager', { ...body, truncatedAlerts: 2 });
    expect(answer).toMatchObject({
      status: 202,
      body: {
        truncatedAlerts: 2,
        alerts: [
          { fingerprint: 'f-0', outcome: 'ignored', reason: 'no-environment' },
          { fingerprint: 'f-1', outcome: 'ignored', reason: 'about-nothing' },
          { fingerprint: 'f-2', outcome: 'ignored', reason: 'resolved' },
          { fingerprint: 'f-3', outcome: 'published' },
        ],
      },
    });
    expect(await becomes(service, id, { status: 'rolled-back' })).toMatchObject({
      rollback: { reason: 'CheckoutErrors', message: '5 % of the orders fail' },
    });
    expect(service.log).toContainEqual(
      expect.objectContaining({ msg: 'alerts that can roll nothing back', truncatedAlerts: 2 }),
    );
  });

  it('takes the repeats of an alert for one breach', async () => {
    const { service, id } = await rollingOut();
    const body = webhook({});
    for (const _ of [1, 2, 3])
      expect((await service.post('/v1/alertmanager', body)).status).toBe(202);
    await becomes(service, id, { status: 'rolled-back' });
    await service.idle();
    expect(new Set(breaches(service).map(({ metadata }) => metadata.id)).size).toBe(1);
    const events = service.published('rollout.events').map(({ type }) => type);
    expect(events.filter((type) => type === 'RollbackStarted')).toHaveLength(1);
  });

  it('leaves alone what began before the rollout, and what it is not about', async () => {
    const { service, id } = await rollingOut();
    const labels = { alertname: 'Other', environment: 'test', flag: 'another' };
    const body = webhook({ startsAt: '2020-01-01T00:00:00Z' }, { labels });
    expect((await service.post('/v1/alertmanager', body)).status).toBe(202);
    await service.idle();
    expect((await shown(service, id)).status).toBe('running');
  });

  it('refuses loudly what the key is not for, and does the rest', async () => {
    const { service, id } = await rollingOut();
    const production = { alertname: 'X', environment: 'production', flag: 'checkout-v2' };
    const body = webhook({ labels: production }, {});
    expect(await service.as('operator', 'test').post('/v1/alertmanager', body)).toMatchObject({
      status: 403,
      body: { code: 'AUTH_ENVIRONMENT_FORBIDDEN' },
    });
    await becomes(service, id, { status: 'rolled-back' });
    expect(breaches(service)).toHaveLength(1);
    expect((await service.as('viewer').post('/v1/alertmanager', webhook())).status).toBe(403);
    expect((await service.post('/v1/alertmanager', { alerts: [] })).status).toBe(400);
  });

  describe('of the real Alertmanager', () => {
    const LABELS = { alertname: 'CheckoutErrors', environment: 'test', plan: 'open-checkout' };

    /** Tells of what is over, too. */
    async function openAlertmanager({ url, keyOf }: TestService, repeatEvery: string) {
      const alertmanager = await openServerIfAny('alertmanager', {
        own: true,
        config: `
route: { receiver: tidegate, group_by: [environment, flag], group_wait: 1ms, group_interval: 1s, repeat_interval: ${repeatEvery} }
receivers:
  - name: tidegate
    webhook_configs:
      - url: ${url}/v1/alertmanager
        send_resolved: true
        http_config: { authorization: { credentials: ${keyOf('operator', 'test')} } }
`,
      });
      if (!alertmanager) return undefined;
      cleanUp.push(() => alertmanager.stop());
      return async (alert: object): Promise<void> => {
        const annotations = { summary: 'orders fail' };
        const { status } = await fetch(`${alertmanager.url}/api/v2/alerts`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify([{ labels: LABELS, annotations, ...alert }]),
        });
        expect(status).toBe(200);
      };
    }
    /** How many webhooks the service has taken. */
    const taken = ({ log }: TestService): number =>
      log.filter(({ route }) => route === '/v1/alertmanager').length;

    it('a firing alert is a breach, however often it is repeated', async () => {
      const { service, id } = await rollingOut();
      const alert = await openAlertmanager(service, '1s');
      if (!alert) return;
      const startsAt = new Date();
      await alert({ startsAt });
      expect(await becomes(service, id, { status: 'rolled-back' })).toMatchObject({
        rollback: { by: 'operator@test', reason: 'CheckoutErrors', message: 'orders fail' },
      });
      await eventually(() => taken(service) >= 3, 20_000);
      await service.idle();
      const all = breaches(service);
      expect(new Set(all.map(({ metadata }) => metadata.id)).size).toBe(1);
      const breach = all[0]?.data as ThresholdBreached['data'];
      expect(breach).toMatchObject({ labels: LABELS, startsAt: startsAt.getTime() });
      expect(breach.fingerprint).toMatch(/^[0-9a-f]{16}$/);
      const events = service.published('rollout.events').map(({ type }) => type);
      expect(events.filter((type) => type === 'RollbackStarted')).toHaveLength(1);
    });

    it('an alert that is over is nothing', async () => {
      const { service, id } = await rollingOut();
      const alert = await openAlertmanager(service, '1h');
      if (!alert) return;
      // It fires since before the rollout, and so rolls nothing back.
      const startsAt = new Date(Date.now() - 3_600_000);
      await alert({ startsAt });
      await eventually(() => taken(service) === 1, 20_000);
      await alert({ startsAt, endsAt: new Date() });
      await eventually(() => taken(service) === 2, 20_000);
      await service.idle();
      expect(breaches(service)).toHaveLength(1);
      expect((await shown(service, id)).status).toBe('running');
    });
  });
});
