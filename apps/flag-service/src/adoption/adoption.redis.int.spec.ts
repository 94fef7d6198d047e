import { randomUUID } from 'node:crypto';
import type { RedisConnection } from '@tidegate/platform';
import { startTestService, testRedis, type TestService } from '@tidegate/platform/testing';
import { eventually } from '@tidegate/kernel/testing';
import { afterAll, describe, expect, it } from '@jest/globals';
import { openServerIfAny } from '../../../../test/servers/servers.ts';
import { flagService } from '../index.ts';
import { adoptionCountsContract } from './adoption-counts.contract.ts';
import { RedisCounts } from './adoption-counts.redis.ts';

const server = await openServerIfAny('redis', { own: true });
const FLAG = '/v1/environments/test/flags/f';
const OFREP = '/environments/test/ofrep/v1/evaluate/flags';

async function connected(): Promise<RedisConnection> {
  const redis = await testRedis(server?.url ?? '');
  await eventually(() =>
    redis.check().then(
      () => true,
      () => false,
    ),
  );
  return redis;
}

(server ? describe : describe.skip)('counts in Redis', () => {
  const opened: RedisConnection[] = [];
  afterAll(async () => {
    for (const redis of opened) redis.close();
    await server?.stop();
  });

  describe('of one connection', () => {
    let redis: RedisConnection | undefined;
    it('begin', async () => {
      redis = await connected();
      opened.push(redis);
    });
    adoptionCountsContract((since) => {
      if (!redis) throw new Error('There is no connection.');
      return new RedisCounts(redis, since, `test:${randomUUID()}`);
    });
  });

  it('began, once Redis was emptied, when they began anew', async () => {
    const redis = await connected();
    opened.push(redis);
    const prefix = `test:${randomUUID()}`;
    const counts = new RedisCounts(redis, 7, prefix);
    const begun = async () => (await counts.asked('e')).countedSince;
    const nothing = { served: [], unknown: [], fetched: true };
    await counts.add('e', { ...nothing, at: 1_000 });
    await redis.client.del(`${prefix}:since`);
    expect(await begun()).toBe(1_000);
    await counts.add('e', { ...nothing, at: 2_000 });
    expect(await begun()).toBe(2_000);
  });

  it('are one for all replicas, and go on where they were when Redis is back', async () => {
    const env = { REDIS_URL: server?.url ?? '' };
    const replicas = [
      await startTestService(flagService, { env }),
      await startTestService(flagService, { env }),
    ] as const;
    const ask = (service: TestService) =>
      service.as('sdk', 'test').post(`${OFREP}/f`, { context: { targetingKey: 'ada' } });
    const served = async (service: TestService) => {
      const { status, body } = await service.get<{ variants?: object }>(`${FLAG}/adoption`);
      return status === 200 ? body.variants : status;
    };
    for (const service of replicas) {
      await service.put('/v1/environments/test');
      await service.put(FLAG, {
        type: 'boolean',
        variants: { on: true, off: false },
        defaultVariant: 'off',
        offVariant: 'off',
        exposure: { variant: 'on', percentage: 100 },
      });
      await eventually(async () => (await service.get('/health/ready')).text.includes('redis'));
    }
    const [first, second] = replicas;
    for (const service of replicas) await ask(service);
    for (const service of replicas)
      await eventually(async () => JSON.stringify(await served(service)) === '{"on":2}', 10_000);
    await server?.kill();
    await eventually(async () => (await served(first)) === 503, 10_000);
    expect((await ask(first)).body).toMatchObject({ value: true });
    await server?.restart();
    await eventually(async () => JSON.stringify(await served(second)) === '{"on":1}', 20_000);
  });
});
