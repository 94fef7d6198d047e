import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { openServerIfAny, type Server } from '../../../../test/servers/servers.ts';
import { startTestService, type TestService } from '../test-service.nest.ts';
import { tinyService } from '../tiny-service.nest.ts';

const redis: Server | undefined = await openServerIfAny('redis', { own: true });
const READ = '/v1/environments/test/read';

const replica = (perMinute: number): Promise<TestService> =>
  startTestService(tinyService(), {
    env: { REDIS_URL: redis?.url ?? '', RATE_LIMIT_PER_MINUTE: String(perMinute) },
  });
const statusOf = async (service: TestService, role: 'viewer' | 'operator' = 'viewer') =>
  (await service.as(role).get(READ)).status;
const redisOf = async (service: TestService): Promise<Record<string, unknown> | undefined> => {
  const { status, body } = await service.get<{ checks: Record<string, unknown>[] }>(
    '/health/ready',
  );
  expect(status).toBe(200);
  return body.checks.find(({ name }) => name === 'redis');
};
/** Whether health and metrics say so, both. */
const says = async (service: TestService, status: 'up' | 'down'): Promise<boolean> => {
  const { text } = await service.get('/metrics');
  const shared = `tidegate_rate_limits_shared ${status === 'up' ? 1 : 0}\n`;
  return (await redisOf(service))?.['status'] === status && text.includes(shared);
};

(redis ? describe : describe.skip)('limits in Redis', () => {
  let [a, b]: TestService[] = [];
  const replicas = (): readonly [TestService, TestService] => {
    if (!a || !b) throw new Error('The replicas have not started.');
    return [a, b];
  };
  beforeAll(async () => {
    [a, b] = await Promise.all([replica(40), replica(40)]);
    for (const service of replicas()) await eventually(() => says(service, 'up'));
  });
  afterAll(() => redis?.stop());

  it('are shared by replicas: what one has given, the other does not give again', async () => {
    const [first, second] = replicas();
    for (let time = 0; time < 40; time += 1) expect(await statusOf(first)).toBe(200);
    expect(await statusOf(first)).toBe(429);
    // One request may come before the other replica has heard of it; those after it do not.
    await eventually(async () => (await statusOf(second)) === 429);
    const { headers } = await second.as('viewer').get(READ);
    expect(headers.get('ratelimit')).toMatch(/^"key";r=0;t=\d+$/);
    expect(await statusOf(second, 'operator')).toBe(200);
  });

  it('are kept by each process while Redis is away, which is said, and shared again when it is back', async () => {
    const [first, second] = replicas();
    await redis?.kill();
    for (const service of replicas()) await eventually(() => says(service, 'down'));
    expect(await redisOf(first)).toMatchObject({ required: false, status: 'down' });
    expect(await statusOf(first)).toBe(429);
    const fresh = await replica(2);
    const begun = performance.now();
    expect([await statusOf(fresh), await statusOf(fresh), await statusOf(fresh)]).toEqual([
      200, 200, 429,
    ]);
    expect(performance.now() - begun).toBeLessThan(5_000);

    await redis?.restart();
    for (const service of [first, second, fresh])
      await eventually(() => says(service, 'up'), 10_000);
    const told = second.log.map(({ msg }) => msg).filter((msg) => String(msg).includes('Redis'));
    expect(told).toEqual([
      'Redis is away: each process keeps rate limits and idempotency keys by itself',
      'Redis is back: rate limits and idempotency keys are shared again',
    ]);
  });

  it('make no request wait while Redis hangs', async () => {
    const service = await replica(1_000);
    await eventually(() => says(service, 'up'));
    redis?.freeze();
    const times: number[] = [];
    for (let time = 0; time < 200; time += 1) {
      const begun = performance.now();
      expect(await statusOf(service)).toBe(200);
      times.push(performance.now() - begun);
    }
    await eventually(() => says(service, 'down'));
    redis?.resume();
    await eventually(() => says(service, 'up'), 10_000);
    expect(times.toSorted((x, y) => x - y)[190]).toBeLessThan(50);
  });

  it('never write the password down', async () => {
    const url = new URL(redis?.url ?? '');
    url.username = 'nobody';
    url.password = 'a-password-of-redis';
    const service = await startTestService(tinyService(), { env: { REDIS_URL: url.href } });
    await eventually(() => service.log.some(({ msg }) => String(msg).startsWith('Redis is away')));
    const { text } = await service.get('/health/ready');
    expect(text + JSON.stringify(service.log)).not.toContain('a-password-of-redis');
  });
});
