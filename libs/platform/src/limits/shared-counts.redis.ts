import { messageOf } from '@tidegate/kernel';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { WINDOW_MS } from './allowance.ts';
import type { SharedCounts } from './shared-counts.port.ts';

export interface RedisCountsOptions {
  /** `redis://` or `rediss://`; never logged. */
  readonly url: string;
  /** Services count apart. */
  readonly service: string;
  readonly log: Logger;
}

const ANSWER_WITHIN_MS = 1_000;
const CONNECT_WITHIN_MS = 3_000;
const DISCONNECT_WITHIN_MS = 250;
const LONGEST_RETRY_MS = 1_000;

/**
 * Counts in Redis. It connects, and connects again, by itself: whoever starts does not wait for it, and what is asked
 * while it is away is refused at once.
 */
export function openRedisCounts({ url, service, log }: RedisCountsOptions): SharedCounts {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    commandTimeout: ANSWER_WITHIN_MS,
    connectTimeout: CONNECT_WITHIN_MS,
    // A server that hangs, or is gone without a word, is left for a new connection.
    socketTimeout: CONNECT_WITHIN_MS,
    disconnectTimeout: DISCONNECT_WITHIN_MS,
    retryStrategy: (times) => Math.min(times * 50, LONGEST_RETRY_MS),
  });
  const counts = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `tidegate:limits:${service}`,
    points: Number.MAX_SAFE_INTEGER,
    duration: WINDOW_MS / 1_000,
    rejectIfRedisNotReady: true,
  });
  let up: boolean | undefined;
  const isNow = (next: boolean, reason?: string): void => {
    if (next && up === false) log.info('Redis is back: rate limits are shared again');
    // Only the reason: an error of the driver holds the command, and that may be the one with the password.
    if (!next && up !== false)
      log.warn({ reason }, 'Redis is away: each process counts rate limits by itself');
    up = next;
  };
  const asked = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      const value = await answer;
      isNow(true);
      return value;
    } catch (error) {
      isNow(false, messageOf(error));
      throw error;
    }
  };
  redis.on('ready', () => isNow(true)).on('error', (error) => isNow(false, messageOf(error)));
  return {
    add: async (name, points) => {
      const counted = await asked(counts.penalty(name, points));
      return { total: counted.consumedPoints, endsInMs: counted.msBeforeNext };
    },
    isUp: () => up === true,
    check: async () => void (await asked(redis.ping())),
    close: () => redis.disconnect(),
  };
}
