import { Gauge } from 'prom-client';
import type { RedisConnection } from '../redis/connection.redis.ts';
import type { ServiceContext } from '../service.ts';
import { IdempotencyKeys } from './idempotency-keys.handler.ts';

/** What the Idempotency-Keys of a service were used for. */
export async function openIdempotencyKeys(
  { registry, name }: ServiceContext,
  redis: RedisConnection | undefined,
): Promise<IdempotencyKeys> {
  const shared = redis && (await import('./shared-keys.redis.ts')).redisKeys(redis, name);
  const keys = new IdempotencyKeys({ shared });
  const gauge: Gauge = new Gauge({
    name: 'tidegate_idempotency_keys_shared',
    help: '1 while all replicas know what an Idempotency-Key was used for, 0 while each process only knows its own.',
    registers: [registry],
    collect: () => gauge.set(keys.isShared() ? 1 : 0),
  });
  return keys;
}
