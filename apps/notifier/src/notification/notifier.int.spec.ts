import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryBus } from '@tidegate/bus/testing';
import { RollbackStarted, RolloutPaused, RolloutStarted } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import { randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { MemoryDisk, memoryStore } from '@tidegate/store/testing';
import { notifier } from '../index.ts';
import { notificationCollection } from './notifications.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0)) each();
});

/** A receiver that answers with these statuses (0: never), the last one for ever, and counts deliveries by their id. */
async function receiver(...statuses: number[]) {
  const ids: string[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      ids.push(String(request.headers['webhook-id']));
      const status = statuses.length > 1 ? (statuses.shift() ?? 200) : (statuses[0] ?? 200);
      if (status !== 0) response.writeHead(status).end();
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

  it('stops at once while a receiver hangs, and keeps what was under way for later', async () => {
    const { env, ids } = await receiver(0, 204);
    const bus = memoryBus({ clock: systemClock, ids: randomIds });
    const store = memoryStore({ clock: systemClock });
    const first = await startTestService(notifier, { env, bus, store });
    await bus.publish([rollback()]);
    await eventually(() => ids.length === 1);
    const stopping = performance.now();
    await first.stop();
    expect(performance.now() - stopping).toBeLessThan(5_000);
    expect(
      (await store.documents(notificationCollection).list({ limit: 1 }))[0]?.state,
    ).toMatchObject({
      status: 'waiting',
      told: { attempts: 0 },
    });
    await bus.close();
  });

  it('sends the others while a receiver hangs on some', async () => {
    const hanging = Array.from({ length: 15 }, () => 0);
    const { env, ids } = await receiver(...hanging, 204);
    const service = await startTestService(notifier, { env });
    await service.context.bus.publish(
      Array.from({ length: 40 }, (_, index) => ({
        ...exampleOf(RolloutPaused, { reason: `${index}` }, { id: `m-${index}`, at: Date.now() }),
        topic: 'rollout.events',
      })),
    );
    await eventually(() => ids.length === 40);
  });

  it('says in its log, for someone to act, when it gives up', async () => {
    const { env } = await receiver(410);
    const service = await startTestService(notifier, { env });
    await service.context.bus.publish([rollback()]);
    await eventually(async () => (await list(service))[0]?.['status'] === 'given-up');
    expect(service.log).toContainEqual(
      expect.objectContaining({ level: 'error', failure: 'The receiver answered 410.' }),
    );
  });

  it('sends what a backup that was put back still owes under the same id, and nothing older than a day', async () => {
    const { env, ids } = await receiver(503, 204);
    const disk = new MemoryDisk();
    const bus = memoryBus({ clock: systemClock, ids: randomIds });
    let lateMs = 0;
    const clock = { now: () => Date.now() + lateMs };
    const start = () =>
      startTestService(notifier, { env, bus, clock, store: memoryStore({ clock, disk }) });
    const first = await start();
    await bus.publish([rollback()]);
    await eventually(async () => (await list(first))[0]?.['attempts'] === 1);
    const backup = structuredClone(disk.documents);
    await eventually(async () => (await list(first))[0]?.['status'] === 'delivered');
    await first.stop();
    Object.assign(disk, { documents: structuredClone(backup), epoch: 2 });
    const second = await start();
    await eventually(async () => (await list(second))[0]?.['status'] === 'delivered');
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    await second.stop();
    Object.assign(disk, { documents: backup, epoch: 3 });
    lateMs = 25 * 3_600_000;
    const third = await start();
    await eventually(async () => (await list(third))[0]?.['status'] === 'given-up');
    expect((await list(third))[0]).toMatchObject({
      lastFailure: expect.stringContaining('too-old'),
    });
    expect(ids).toHaveLength(3);
  });

  it('pages through its notifications, and the last page says so', async () => {
    const { env } = await receiver(204);
    const service = await startTestService(notifier, { env });
    await service.context.bus.publish(
      ['a', 'b'].map((reason) => ({
        ...exampleOf(RolloutPaused, { reason }, { id: reason, at: Date.now() }),
        topic: 'rollout.events',
      })),
    );
    await eventually(async () => (await list(service)).length === 2);
    const page = (query: string) =>
      service.get<{ items: { notification: string }[]; next?: string }>(
        `/v1/notifications?${query}`,
      );
    const first = (await page('limit=1')).body;
    expect(first.next).toBe(first.items[0]?.notification);
    const second = (await page(`limit=1&after=${first.next}`)).body;
    expect(second.items).toHaveLength(1);
    expect(second.next).toBeUndefined();
  });

  it('shows and does nothing of an environment that the key is not for', async () => {
    const { env } = await receiver(204);
    const service = await startTestService(notifier, { env });
    await service.context.bus.publish([rollback()]); // of production
    const id = await eventually(async () => (await list(service))[0]?.['notification'] as string);
    const elsewhere = service.as('operator', 'test');
    expect((await elsewhere.get('/v1/notifications')).body['items']).toEqual([]);
    const path = `/v1/notifications/${id}`;
    const answers = [
      await elsewhere.get(path),
      await elsewhere.post(`${path}/acknowledge`, {}),
      await elsewhere.post(`${path}/send-again`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect((await service.as('operator', 'production').get(path)).status).toBe(200);
    expect((await elsewhere.post('/v1/notifications/n-none/send-again')).status).toBe(404);
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

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const url = 'http://127.0.0.1:1/';
it.each([
  ['half of a webhook', { NOTIFIER_WEBHOOK_URL: url }, 'NOTIFIER_WEBHOOK_SECRET'],
  [
    'a key that is no base64',
    { NOTIFIER_WEBHOOK_URL: url, NOTIFIER_WEBHOOK_SECRET: `${secret}a` },
    'NOTIFIER_WEBHOOK_SECRET: must be base64',
  ],
  [
    'a password in the URL',
    { NOTIFIER_WEBHOOK_URL: 'http://me:hunter2@127.0.0.1/', NOTIFIER_WEBHOOK_SECRET: secret },
    'NOTIFIER_WEBHOOK_URL: must not hold a user or password',
  ],
  [
    'a route to a channel that is not there',
    { NOTIFIER_ROUTES_FILE: JSON.stringify([{ name: 'night', channel: 'slack' }]) },
    'NOTIFIER_ROUTES_FILE: route night: there is no channel slack; there are: console',
  ],
  [
    'a route that can match nothing',
    {
      NOTIFIER_ROUTES_FILE: JSON.stringify([
        { name: 'n', match: { sevrity: 'x' }, channel: 'console' },
      ]),
    },
    'sevrity',
  ],
])('does not start with %s', async (_what, given, why) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-notifier-'));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  const env: Record<string, string> = { ...given };
  const routes = env['NOTIFIER_ROUTES_FILE'];
  if (routes !== undefined) {
    env['NOTIFIER_ROUTES_FILE'] = join(folder, 'routes.json');
    writeFileSync(env['NOTIFIER_ROUTES_FILE'], routes);
  }
  const start = startTestService(notifier, { env });
  await expect(start).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(why),
  });
  await expect(start).rejects.not.toThrow('hunter2');
});
