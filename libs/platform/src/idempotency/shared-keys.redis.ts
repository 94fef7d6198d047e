import type { RedisConnection } from '../redis/connection.redis.ts';
import { KEPT_MS, type SharedKeys } from './shared-keys.port.ts';

/** @param service services keep theirs apart */
export function redisKeys(redis: RedisConnection, service: string): SharedKeys {
  const { client } = redis;
  const at = (name: string): string => `tidegate:idempotency:${service}:${name}`;
  return {
    async claim(name, fingerprint) {
      const set = await redis.asked(client.set(at(name), fingerprint, 'PX', KEPT_MS, 'NX'));
      if (set === 'OK') return fingerprint;
      // Gone in between: it was a day old, and nobody else holds it.
      return (await redis.asked(client.get(at(name)))) ?? fingerprint;
    },
    forget: async (name) => void (await redis.asked(client.del(at(name)))),
    isUp: () => redis.isUp(),
  };
}
