import { messageOf } from '@tidegate/kernel';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';

export interface RedisOptions {
  /** `redis://` or `rediss://`; never logged. */
  readonly url: string;
  readonly log: Logger;
}

/** The one connection of a service. No request waits for it. */
export interface RedisConnection {
  readonly client: Redis;
  /** What was asked; whether it was answered is remembered. */
  asked<T>(answer: Promise<T>): Promise<T>;
  /** False from when something failed until something works again. */
  isUp(): boolean;
  /** Rejects when it cannot be reached now. */
  check(): Promise<void>;
  close(): void;
}

const ANSWER_WITHIN_MS = 1_000;
const CONNECT_WITHIN_MS = 3_000;
const DISCONNECT_WITHIN_MS = 250;
const LONGEST_RETRY_MS = 1_000;

/**
 * It connects, and connects again, by itself: whoever starts does not wait for it, and what is asked while it is away is
 * refused at once.
 */
export function connectRedis({ url, log }: RedisOptions): RedisConnection {
  const client = new Redis(url, {
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
  let up: boolean | undefined;
  const isNow = (next: boolean, reason?: string): void => {
    if (next && up === false)
      log.info('Redis is back: rate limits and idempotency keys are shared again');
    // Only the reason: an error of the driver holds the command, and that may be the one with the password.
    if (!next && up !== false)
      log.warn(
        { reason },
        'Redis is away: each process keeps rate limits and idempotency keys by itself',
      );
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
  client.on('ready', () => isNow(true)).on('error', (error) => isNow(false, messageOf(error)));
  return {
    client,
    asked,
    isUp: () => up === true,
    check: async () => void (await asked(client.ping())),
    close: () => client.disconnect(),
  };
}
