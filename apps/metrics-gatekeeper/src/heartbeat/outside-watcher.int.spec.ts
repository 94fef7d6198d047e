import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryBus } from '@tidegate/bus/testing';
import { AppError } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import { randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { memoryStore } from '@tidegate/store/testing';
import { metricsGatekeeper } from '../index.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0)) each();
});

/** Somebody outside who expects to be called. */
async function watcher() {
  const calls: { path: string; body: Record<string, unknown> }[] = [];
  const answer = { status: 200, hangs: false };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const path = `${request.method} ${request.url}`;
      calls.push({ path, body: JSON.parse(text || '{}') as Record<string, unknown> });
      if (!answer.hangs) response.writeHead(answer.status, { location: '/elsewhere' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/secret-key`;
  const more = async (): Promise<void> => {
    const before = calls.length;
    await eventually(() => calls.length > before);
  };
  return { url, calls, answer, more };
}

const env = (url: string) => ({
  METRICS_GATEKEEPER_HEARTBEAT_URL: url,
  METRICS_GATEKEEPER_HEARTBEAT_MS: '20',
});

const away = (code: string) => async (): Promise<never> => {
  throw new AppError(code, 'cut', { retryable: true });
};

async function metric(service: TestService, line: RegExp): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(line.exec(text)?.[1] ?? 0);
}
const beats = (service: TestService): number => service.published('gatekeeper.heartbeats').length;

describe('who watches from outside', () => {
  it('is called with each heartbeat, and told who lives', async () => {
    const outside = await watcher();
    await startTestService(metricsGatekeeper, { env: env(outside.url) });
    await outside.more();
    await outside.more();
    expect(outside.calls[0]).toEqual({
      path: 'POST /ping/secret-key',
      body: { instance: expect.any(String), running: 0 },
    });
  });

  it('is not called while the store does not answer, although the process lives and says so', async () => {
    const outside = await watcher();
    const store = memoryStore({ clock: systemClock });
    let isAway = false;
    const documents: typeof store.documents = (collection) => {
      const all = store.documents(collection);
      const claimDue = all.claimDue.bind(all);
      return Object.assign(all, {
        claimDue: (...parameters: Parameters<typeof claimDue>) =>
          isAway ? away('STORE_UNREACHABLE')() : claimDue(...parameters),
      });
    };
    const service = await startTestService(metricsGatekeeper, {
      env: env(outside.url),
      store: Object.assign(Object.create(store) as typeof store, { documents }),
    });
    await outside.more();
    isAway = true;
    await eventually(() =>
      service.log.some(({ loop, level }) => loop === 'gatekeeper.checks' && level === 'error'),
    );
    const alive = /^tidegate_gatekeeper_alive_timestamp_seconds (.*)$/m;
    // One may have been on its way when the round failed.
    const seen = {
      beats: beats(service),
      calls: outside.calls.length,
      at: await metric(service, alive),
    };
    await eventually(() => beats(service) > seen.beats + 5);
    expect(outside.calls.length).toBeLessThanOrEqual(seen.calls + 1);
    const later = { calls: outside.calls.length, at: await metric(service, alive) };
    await eventually(() => beats(service) > seen.beats + 10);
    expect({ calls: outside.calls.length, at: await metric(service, alive) }).toEqual(later);
    isAway = false;
    await outside.more();
  });

  it('is not called while the bus is away: no rollback could be sent', async () => {
    const outside = await watcher();
    const bus = memoryBus({ clock: systemClock, ids: randomIds });
    const service = await startTestService(metricsGatekeeper, { env: env(outside.url), bus });
    await outside.more();
    Object.assign(bus.log, { append: away('BUS_UNREACHABLE') });
    await eventually(() =>
      service.log.some(({ loop, level }) => loop === 'gatekeeper.alive' && level === 'error'),
    );
    const { length } = outside.calls;
    Reflect.deleteProperty(bus.log, 'append');
    await outside.more();
    expect(outside.calls.length).toBeGreaterThan(length);
  });

  it('that refuses, redirects or hangs is counted, and said once per change, without its key', async () => {
    const outside = await watcher();
    const service = await startTestService(metricsGatekeeper, { env: env(outside.url) });
    await outside.more();
    outside.answer.status = 302;
    const failed = () =>
      metric(service, /^tidegate_gatekeeper_outside_heartbeats_total\{result="failed"\} (.*)$/m);
    await eventually(async () => (await failed()) >= 3);
    outside.answer.status = 200;
    const said = () =>
      service.log.filter(({ msg }) => String(msg).includes('METRICS_GATEKEEPER_HEARTBEAT_URL'));
    await eventually(() => said().length === 2);
    expect(said().map(({ msg, reason }) => ({ msg, reason }))).toEqual([
      {
        msg: 'METRICS_GATEKEEPER_HEARTBEAT_URL does not take heartbeats',
        reason: 'It answered 302: redirects are not followed.',
      },
      { msg: 'METRICS_GATEKEEPER_HEARTBEAT_URL takes heartbeats again', reason: undefined },
    ]);
    expect(outside.calls.every(({ path }) => path === 'POST /ping/secret-key')).toBe(true);
    expect(JSON.stringify(service.log)).not.toContain('secret-key');
  });

  it('that hangs holds up no heartbeat', async () => {
    const outside = await watcher();
    outside.answer.hangs = true;
    const service = await startTestService(metricsGatekeeper, { env: env(outside.url) });
    await outside.more();
    const before = beats(service);
    await eventually(() => beats(service) > before + 5);
    expect(outside.calls).toHaveLength(1);
    cleanUp.splice(0).forEach((close) => close());
  });
});
