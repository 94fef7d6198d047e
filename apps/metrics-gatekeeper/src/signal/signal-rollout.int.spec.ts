import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { SignalReported } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { metricsGatekeeper } from '../index.ts';
import { FlagDouble } from '../rollout/flag-service.memory.ts';

jest.setTimeout(30_000);
const ENVIRONMENT = 'production';
const PLAN = readFileSync(
  join(import.meta.dirname, '../../../../docs/how-to/examples/signals/open-checkout.yaml'),
  'utf8',
);

/** A gatekeeper that knows the plan of the how-to, which checks every five seconds. */
async function open(): Promise<TestService> {
  const service = await startTestService(metricsGatekeeper);
  await new FlagDouble(service.context, { environment: ENVIRONMENT, key: 'checkout-v2' }).listen();
  expect((await service.put('/v1/plans/open-checkout', PLAN)).status).toBe(201);
  return service;
}

async function start(service: TestService): Promise<string> {
  const body = { plan: 'open-checkout', environment: ENVIRONMENT };
  const { id } = (await service.post<{ id: string }>('/v1/rollouts', body)).body;
  await becomes(service, id, { phase: 'open' });
  return id;
}

const shown = async (service: TestService, id: string) =>
  (await service.get(`/v1/rollouts/${id}`)).body;
const becomes = (service: TestService, id: string, wanted: object) =>
  eventually(async () => {
    const body = await shown(service, id);
    expect(body).toMatchObject(wanted);
    return body;
  }, 20_000);

const report = async (service: TestService, signal: string, more: object = {}, headers = {}) => {
  const body = { environment: ENVIRONMENT, signal, ...more };
  expect((await service.post('/v1/signals', body, headers)).status).toBe(202);
};
/** Resolves once a check has seen what was reported so far. */
const judged = async (service: TestService, id: string, from = Date.now()): Promise<void> => {
  await service.idle();
  await eventually(async () => Number((await shown(service, id))['lastCheckAt']) > from, 20_000);
};

describe('a rollout whose guards listen to signals', () => {
  it('is rolled back by the first sign of data loss, at once and not at the next check', async () => {
    const service = await open();
    const id = await start(service);
    const reportedAt = performance.now();
    await report(service, 'data-loss', { message: 'order 17 has no items' });
    const body = await becomes(service, id, { rollback: { reason: 'count-too-high' } });
    // For people who look: how long it took. A busy machine is no failure.
    service.context.log.info({ ms: performance.now() - reportedAt }, 'rolled back by a signal');
    expect(body).toMatchObject({
      rollback: { message: expect.stringContaining('data-loss') },
    });
  });

  it('is rolled back by the fifth complaint about the cart, and by no other', async () => {
    const service = await open();
    const id = await start(service);
    const cart = { labels: { area: 'cart' } };
    await report(service, 'complaint', { ...cart, count: 3 }, { 'idempotency-key': 'c-1' });
    await report(service, 'complaint', { ...cart, count: 3 }, { 'idempotency-key': 'c-1' });
    await report(service, 'complaint', cart);
    await report(service, 'complaint', { labels: { area: 'search' }, count: 100 });
    await report(service, 'complaint', { ...cart, environment: 'test', count: 100 });
    await judged(service, id);
    expect(await shown(service, id)).toMatchObject({ status: 'running' });
    await report(service, 'complaint', cart);
    expect(await becomes(service, id, { rollback: {} })).toMatchObject({
      rollback: { message: expect.stringContaining('complaints') },
    });
  });

  it('is rolled back by what another system reports on the topic', async () => {
    const service = await open();
    const id = await start(service);
    const signal = exampleOf(
      SignalReported,
      { environment: ENVIRONMENT, signal: 'data-loss' },
      { id: 'order-17', source: 'nightly-audit', at: Date.now() },
    );
    await service.context.bus.publish([{ ...signal, topic: 'signals' }]);
    await becomes(service, id, { rollback: { reason: 'count-too-high' } });
  });

  it('has nothing to do with what was reported before it began', async () => {
    const service = await open();
    await report(service, 'data-loss');
    await service.idle();
    const id = await start(service);
    await judged(service, id);
    expect(await shown(service, id)).toMatchObject({ status: 'running' });
    await report(service, 'data-loss');
    await becomes(service, id, { rollback: { reason: 'count-too-high' } });
  });

  it('is killed by hand behind a thousand complaints, before they are counted', async () => {
    const service = await open();
    const id = await start(service);
    const { bus } = service.context;
    const complaints = Array.from({ length: 1_000 }, (_, number) => ({
      ...exampleOf(
        SignalReported,
        { environment: ENVIRONMENT, signal: 'complaint', labels: { area: 'search' } },
        { id: `c-${number}`, source: 'desk', at: Date.now() },
      ),
      topic: 'signals',
    }));
    await bus.publish(complaints);
    await service.post(`/v1/rollouts/${id}/rollback`, { reason: 'enough' });
    await becomes(service, id, { rollback: { by: 'admin' } });
    const counted = () =>
      service.published('signals').filter(({ type }) => type === 'SignalCounted').length;
    expect(counted()).toBeLessThan(1_000);
    await eventually(() => counted() === 1_000, 20_000);
  });
});
