import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RedisConnection } from '../redis/connection.redis.ts';
import { WINDOW_MS } from './allowance.ts';
import type { SharedCounts } from './shared-counts.port.ts';

/** Counts in Redis. @param service services count apart */
export function redisCounts(redis: RedisConnection, service: string): SharedCounts {
  const counts = new RateLimiterRedis({
    storeClient: redis.client,
    keyPrefix: `tidegate:limits:${service}`,
    points: Number.MAX_SAFE_INTEGER,
    duration: WINDOW_MS / 1_000,
    rejectIfRedisNotReady: true,
  });
  return {
    add: async (name, points) => {
      const counted = await redis.asked(counts.penalty(name, points));
      return { total: counted.consumedPoints, endsInMs: counted.msBeforeNext };
    },
    isUp: () => redis.isUp(),
  };
}
