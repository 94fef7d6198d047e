import type { PlatformConfig } from '../config/platform-config.ts';
import type { ServiceContext } from '../service.ts';
import type { RedisConnection } from './connection.redis.ts';

/** What replicas share beside the store, if REDIS_URL is set. It need not be there: its state shows in health and metrics. */
export async function openRedis(
  { REDIS_URL: url }: Pick<PlatformConfig, 'REDIS_URL'>,
  { log, health }: ServiceContext,
): Promise<RedisConnection | undefined> {
  if (url === undefined) return undefined;
  // Loaded only here: its driver costs every start some time.
  const { connectRedis } = await import('./connection.redis.ts');
  const redis = connectRedis({ url, log });
  health('redis', () => redis.check());
  return redis;
}
