import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { FakeFlagService, OPEN, state } from '../../../test/servers/fake-flag-service.ts';
import { openServerIfAny, type Server } from '../../../test/servers/servers.ts';
import { bootstrapContract } from './bootstrap.contract.ts';
import { redisBootstrap } from './redis.ts';
import { createTidegate } from './tidegate.sse.ts';

const redis: Server | undefined = await openServerIfAny('redis', { own: true });
afterAll(() => redis?.stop());
const url = redis?.url ?? '';

(redis ? describe : describe.skip)('flags for the start in Redis', () => {
  bootstrapContract(async () => redisBootstrap({ url, key: `flags:${randomUUID()}` }));

  it('are kept by one instance and there for the next', async () => {
    const bootstrap = redisBootstrap({ url, key: `flags:${randomUUID()}` });
    const service = await FakeFlagService.start();
    service.view.apply(state(7, OPEN));
    const options = { environment: 'production', key: 'k', bootstrap };
    const first = createTidegate({ ...options, url: service.url });
    await eventually(() => first.status.state === 'ready');
    await first.close();
    await service.stop();
    const next = createTidegate({ ...options, url: service.url });
    await next.ready();
    expect(next.details('checkout-v2', false)).toMatchObject({ value: true, reason: 'STALE' });
    await next.close();
  });

  it('are done without while Redis is away, and its password is told to nobody', async () => {
    const away = new URL(url);
    away.password = 'a-password-of-redis';
    away.port = '9';
    const errors: Error[] = [];
    const service = await FakeFlagService.start();
    const client = createTidegate({
      url: service.url,
      environment: 'production',
      key: 'k',
      bootstrap: redisBootstrap({ url: away.href, key: 'flags' }),
      onError: (error) => errors.push(error),
    });
    await eventually(() => client.status.state === 'ready');
    await eventually(() => errors.length > 0);
    expect(errors[0]).toMatchObject({ code: 'SDK_BOOTSTRAP_FAILED' });
    await client.close();
    expect(
      errors
        .map((error) => `${error.message} ${JSON.stringify(error)} ${String(error.cause)}`)
        .join(),
    ).not.toContain('a-password');
    await service.stop();
  });
});
