import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createTidegate, type Tidegate, type TidegateOptions } from '@tidegate/sdk';
import { eventually } from '@tidegate/kernel/testing';
import { type Program, start, temporaryFolder } from '../e2e/process.ts';
import { freePort } from '../servers/process.ts';

jest.setTimeout(120_000);

const key = 'long-enough-for-a-key';
const FLAG = '/v1/environments/production/flags/checkout-v2';
const STALE_AFTER_MS = 9_000;
const clients: Tidegate[] = [];
const timers: NodeJS.Timeout[] = [];
afterEach(async () => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

/** flag-service as a process of its own, which can be killed and started again on its data. */
async function openFlagService() {
  const port = await freePort();
  const folder = temporaryFolder();
  const url = `http://127.0.0.1:${port}`;
  let program: Program | undefined;
  const begin = async (): Promise<void> => {
    program = start('apps/flag-service/dist/main.js', [], {
      PORT: String(port),
      HOST: '127.0.0.1',
      BUS_URL: `sqlite:${join(folder, 'bus.db')}`,
      STORE_URL: `sqlite:${join(folder, 'store.db')}`,
      ADMIN_API_KEY: key,
    });
    await program.printed('the service is ready', 30_000);
  };
  const ask = async (method: string, path: string, body?: object): Promise<number> => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const answer = await fetch(url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await answer.body?.cancel();
    return answer.status;
  };
  const put = (percentage: number) =>
    ask('PUT', FLAG, {
      type: 'boolean',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      offVariant: 'off',
      exposure: { variant: 'on', percentage },
    });
  await begin();
  await ask('PUT', '/v1/environments/production', {});
  return {
    url,
    put,
    start: begin,
    kill: async () => program?.kill(),
    signal: (name: NodeJS.Signals) => program?.signal(name),
    [Symbol.asyncDispose]: async () => program?.kill(),
  };
}

function connect(url: string, options: Partial<TidegateOptions> = {}) {
  const states: string[] = [];
  const client = createTidegate({
    url,
    key,
    environment: 'production',
    // The heartbeats of the stream come every 5 s.
    staleAfterMs: STALE_AFTER_MS,
    notReadyAfterMs: STALE_AFTER_MS + 3_000,
    heartbeatEveryMs: 500,
    firstRetryMs: 50,
    longestRetryMs: 500,
    ...options,
  });
  clients.push(client);
  client.onStatus(({ state }) => void states.push(state));
  return { client, states };
}
const answer = (client: Tidegate) => client.details('checkout-v2', false);

describe('a flag-service that is killed while applications ask', () => {
  it.each(['stream', 'poll'] as const)(
    'costs those that use mode %s nothing but freshness, told with its age, and they recover by themselves',
    async (mode) => {
      await using service = await openFlagService();
      expect(await service.put(100)).toBe(200);
      const { client, states } = connect(service.url, { mode, pollIntervalMs: 200 });
      await client.ready();
      expect(answer(client)).toMatchObject({ value: true, reason: 'STATIC' });

      const killedAt = performance.now();
      await service.kill();
      const goneAt = performance.now();
      const wrong: unknown[] = [];
      const ask = (): void => {
        if (!answer(client).value) wrong.push(answer(client));
      };
      timers.push(setInterval(ask, 5));
      await eventually(() => client.status.state === 'stale', 20_000);
      const beforeMs = performance.now() - goneAt;
      const { ageMs = 0 } = client.status;
      expect(answer(client)).toMatchObject({ value: true, reason: 'STALE' });
      expect(ageMs).toBeGreaterThanOrEqual(STALE_AFTER_MS);
      // It was not current any more after the kill, and was not stale yet before it.
      expect(ageMs).toBeGreaterThanOrEqual(beforeMs);
      expect(ageMs).toBeLessThan(performance.now() - killedAt + STALE_AFTER_MS);
      await eventually(() => client.status.state === 'error', 20_000);
      expect(client.status.lastError?.code).toBe('SDK_UNREACHABLE');

      await service.start();
      await eventually(() => client.status.state === 'ready', 20_000);
      expect(wrong).toEqual([]);
      clearInterval(timers.pop());
      expect(await service.put(0)).toBe(200);
      await eventually(() => !answer(client).value);
      expect(states).toEqual(['ready', 'stale', 'error', 'ready']);
    },
  );

  it('has nobody wait for a process that hangs: a silent stream is given up, and the change arrives', async () => {
    await using service = await openFlagService();
    await service.put(100);
    const { client } = connect(service.url, { notReadyAfterMs: 60_000, idleTimeoutMs: 7_000 });
    await client.ready();
    service.signal('SIGSTOP');
    await eventually(() => client.status.lastError?.code === 'SDK_STREAM_SILENT', 20_000);
    await eventually(() => client.status.state === 'stale', 20_000);
    expect(answer(client)).toMatchObject({ value: true, reason: 'STALE' });
    service.signal('SIGCONT');
    await eventually(() => client.status.state === 'ready', 30_000);
    await service.put(0);
    await eventually(() => !answer(client).value);
  });
});
