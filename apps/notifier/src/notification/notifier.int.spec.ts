import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryBus } from '@tidegate/bus/testing';
import { RollbackStarted, RolloutStarted } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import { randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { memoryStore } from '@tidegate/store/testing';
import { notifier } from '../index.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0)) each();
});

/** A receiver that answers with these statuses, the last one for ever, and counts deliveries by their id. */
async function receiver(...statuses: number[]) {
  const ids: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      ids.push(String(request.headers['webhook-id']));
      response
        .writeHead(statuses.length > 1 ? (statuses.shift() ?? 200) : (statuses[0] ?? 200))
        .end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const env = {
    NOTIFIER_WEBHOOK_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    NOTIFIER_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    NOTIFIER_CHECK_MS: '20',
  };
  return { env, ids };
}

const rollback = (id = 'm-1') => ({
  ...exampleOf(RollbackStarted, {}, { id, at: Date.now() }),
  topic: 'rollout.events',
});
const list = async (service: TestService) =>
  (await service.get<{ items: Record<string, unknown>[] }>('/v1/notifications')).body.items;

describe('the notifier', () => {
  it('delivers an alert once, however often its message comes', async () => {
    const { env, ids } = await receiver(204);
    const service = await startTestService(notifier, { env });
    await service.context.bus.publish([rollback(), rollback(), rollback('m-2')]);
    const items = await eventually(async () => {
      const found = await list(service);
      return found[0]?.['status'] === 'delivered' && found;
    });
    await service.idle();
    expect(items).toMatchObject([
      { severity: 'critical', title: expect.stringContaining('rolled back'), attempts: 1 },
    ]);
    expect(ids).toHaveLength(1);
    const events = service.published('notification.events').map(({ type }) => type);
    expect(events.sort()).toEqual([
      'NotificationCreated',
      'NotificationDelivered',
      'NotificationSuppressed',
    ]);
  });

  it('tries again with the same id when the receiver was away, and says so in events', async () => {
    const { env, ids } = await receiver(503, 204);
    const service = await startTestService(notifier, { env });
    await service.context.bus.publish([rollback()]);
    await eventually(async () => (await list(service))[0]?.['status'] === 'delivered');
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    const failed = service
      .published('notification.events')
      .find(({ type }) => type === 'NotificationAttemptFailed');
    expect(failed?.data).toMatchObject({ attempt: 1, message: 'The receiver answered 503.' });
  });

  it('goes on with what another process left undelivered', async () => {
    const { env, ids } = await receiver(503, 204);
    const bus = memoryBus({ clock: systemClock, ids: randomIds });
    const store = memoryStore({ clock: systemClock });
    const first = await startTestService(notifier, { env, bus, store });
    await bus.publish([rollback()]);
    await eventually(async () => (await list(first))[0]?.['lastFailure']);
    await first.stop();
    const second = await startTestService(notifier, { env, bus, store });
    await eventually(async () => (await list(second))[0]?.['status'] === 'delivered');
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    await second.stop();
    await bus.close();
  });

  it('writes to its log where no webhook is configured', async () => {
    const service = await startTestService(notifier, { env: { NOTIFIER_CHECK_MS: '20' } });
    await service.context.bus.publish([rollback()]);
    await eventually(() => service.log.some(({ msg }) => msg === 'a notification'));
  });

  it('acknowledges once, by an operator, and previews routes', async () => {
    const { env } = await receiver(204);
    const service = await startTestService(notifier, { env });
    const info = exampleOf(RolloutStarted, {}, { at: Date.now() });
    await service.context.bus.publish([{ ...info, topic: 'rollout.events' }]);
    const id = await eventually(async () => (await list(service))[0]?.['notification'] as string);
    const path = `/v1/notifications/${id}/acknowledge`;
    expect((await service.as('viewer').post(path, {})).status).toBe(403);
    expect((await service.post(path, {})).body).toMatchObject({ acknowledgedBy: 'admin' });
    expect((await service.post('/v1/notifications/n-none/acknowledge', {})).status).toBe(404);
    const preview = await service.post('/v1/routes/preview', { labels: { severity: 'info' } });
    expect(preview.body).toMatchObject({ items: [{ name: 'everything', channel: 'webhook' }] });
  });
});

it('does not start with half of a webhook', async () => {
  await expect(
    startTestService(notifier, { env: { NOTIFIER_WEBHOOK_URL: 'http://127.0.0.1:1/' } }),
  ).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('NOTIFIER_WEBHOOK_SECRET'),
  });
});
