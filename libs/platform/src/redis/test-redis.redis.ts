import { pino } from 'pino';
import type { RedisConnection } from './connection.redis.ts';

/** A connection for a spec, to be closed by it. The driver is loaded only by those who ask. */
export async function testRedis(url: string): Promise<RedisConnection> {
  const { connectRedis } = await import('./connection.redis.ts');
  return connectRedis({ url, log: pino({ level: 'silent' }) });
}
