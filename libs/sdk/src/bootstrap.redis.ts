import { causeOf } from '@tidegate/kernel';
import { Redis } from 'ioredis';
import type { Bootstrap } from './bootstrap.port.ts';

export interface RedisBootstrapOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** What the flags of one environment are kept under; all instances may share it. */
  readonly key: string;
  /** Keep them up to date; otherwise they are only read. Default true. */
  readonly persist?: boolean;
}

const WITHIN_MS = 3_000;

/** Connects for each read and each save, and tries once: flags do not depend on it. */
export function redisBootstrap({ url, key, persist = true }: RedisBootstrapOptions): Bootstrap {
  return {
    // Also since all instances of an application save the same at about the same time.
    saveEveryMs: 10_000,
    load: async () => {
      const text = await connected(url, (redis) => redis.get(key));
      return text === null ? undefined : { text };
    },
    ...(persist
      ? {
          save: async (text: string) =>
            void (await connected(url, (redis) => redis.set(key, text))),
        }
      : {}),
    close: () => Promise.resolve(),
  };
}

async function connected<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: WITHIN_MS,
    commandTimeout: WITHIN_MS,
    disconnectTimeout: 100,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason: unknown;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    return await use(redis);
  } catch (error) {
    // Only the sentence: an error of the driver holds the command, and that may be the one with the password.
    // oxlint-disable-next-line preserve-caught-error
    throw new Error(causeOf(reason ?? error));
  } finally {
    // One that has ended would only start a timer.
    if (redis.status !== 'end') redis.disconnect();
  }
}
