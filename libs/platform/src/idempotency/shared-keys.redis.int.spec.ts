import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { memoryStore } from '@tidegate/store/testing';
import { openServerIfAny, type Server } from '../../../../test/servers/servers.ts';
import { systemClock } from '../system-clock.ts';
import { startTestService, type TestService } from '../test-service.nest.ts';
import { tinyService } from '../tiny-service.nest.ts';

jest.setTimeout(30_000);

const redis: Server | undefined = await openServerIfAny('redis', { own: true });
const store = memoryStore({ clock: systemClock });
const replica = (): Promise<TestService> =>
  startTestService(tinyService(), { store, env: { REDIS_URL: redis?.url ?? '' } });

const put = (service: TestService, key: string, description: string, place = 'test') =>
  service.put(`/v1/environments/${place}`, { description }, { 'idempotency-key': key });
const kill = (service: TestService, key: string) =>
  service.post('/v1/kill', {}, { 'idempotency-key': key });
/** Whether health and metrics say so, both. */
const says = async (service: TestService, status: 'up' | 'down'): Promise<boolean> => {
  const { text } = await service.get('/metrics');
  const { body } = await service.get<{ checks: Record<string, unknown>[] }>('/health/ready');
  const shared = `tidegate_idempotency_keys_shared ${status === 'up' ? 1 : 0}\n`;
  return (
    body.checks.find(({ name }) => name === 'redis')?.['status'] === status && text.includes(shared)
  );
};
(redis ? describe : describe.skip)('idempotency keys in Redis', () => {
  let [a, b]: TestService[] = [];
  const replicas = (): readonly [TestService, TestService] => {
    if (!a || !b) throw new Error('The replicas have not started.');
    return [a, b];
  };
  beforeAll(async () => {
    [a, b] = await Promise.all([replica(), replica()]);
    for (const service of replicas()) await eventually(() => says(service, 'up'));
  });
  afterAll(() => redis?.stop());

  it('are shared by replicas: what was used on one is refused on the other, and not done', async () => {
    const [first, second] = replicas();
    expect((await put(first, 'k-1', 'one')).body).toMatchObject({ outcome: 'changed' });
    const reused = await put(second, 'k-1', 'two');
    expect(reused.body).toMatchObject({ status: 422, code: 'IDEMPOTENCY_KEY_REUSED' });
    expect((await put(second, 'k-1', 'one')).body).toMatchObject({
      outcome: 'changed',
      description: 'one',
    });
  });

  it('used on both at the same time for two things do one of them', async () => {
    for (let n = 0; n < 20; n += 1) {
      const answers = await Promise.all(
        replicas().map((service, r) => put(service, `race-${n}`, `by ${r}`, `race-${n}`)),
      );
      expect(answers.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 422]);
    }
  });

  it('are kept by each process while Redis is away, which is said, and shared again when it is back', async () => {
    const [first, second] = replicas();
    await redis?.kill();
    for (const service of replicas()) await eventually(() => says(service, 'down'));
    expect((await put(first, 'k-2', 'three')).status).toBe(200);
    expect((await put(first, 'k-2', 'four')).status).toBe(422);
    expect((await kill(first, 'k-3')).status).toBe(201);
    await redis?.restart();
    for (const service of replicas()) await eventually(() => says(service, 'up'), 10_000);
    // Told to the others by the next repetition.
    expect((await put(first, 'k-2', 'three')).status).toBe(200);
    expect((await put(second, 'k-2', 'four')).status).toBe(422);
  });

  it('hold up no request for long while Redis hangs', async () => {
    const [service] = replicas();
    redis?.freeze();
    expect((await kill(service, 'frozen')).status).toBe(201);
    const begun = performance.now();
    for (let n = 0; n < 100; n += 1)
      expect((await put(service, `frozen-${n}`, `${n}`)).status).toBe(200);
    const ms = performance.now() - begun;
    redis?.resume();
    await eventually(() => says(service, 'up'), 10_000);
    // Each would have waited for a second.
    expect(ms).toBeLessThan(30_000);
  });

  it('let a kill be done that another replica used for something else: it is never taken for that', async () => {
    const [first, second] = replicas();
    expect((await put(first, 'k-9', 'nine')).status).toBe(200);
    expect((await kill(second, 'k-9')).status).toBe(201);
    await eventually(async () => (await kill(second, 'k-9')).status === 422);
  });
});
