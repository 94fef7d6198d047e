import { Gauge } from 'prom-client';
import type { PlatformConfig } from '../config/platform-config.ts';
import type { RedisConnection } from '../redis/connection.redis.ts';
import type { ServiceContext } from '../service.ts';
import { RateLimits } from './rate-limits.handler.ts';

type Options = Pick<
  PlatformConfig,
  | 'RATE_LIMIT_PER_MINUTE'
  | 'RATE_LIMIT_HEARTBEATS_PER_MINUTE'
  | 'RATE_LIMIT_EVALUATIONS_PER_MINUTE'
  | 'RATE_LIMIT_ANONYMOUS_PER_MINUTE'
>;

/** The limits of a service, to be closed with it. */
export async function openRateLimits(
  options: Options,
  { registry, name }: ServiceContext,
  redis: RedisConnection | undefined,
): Promise<RateLimits> {
  const shared = redis && (await import('./shared-counts.redis.ts')).redisCounts(redis, name);
  const gauge: Gauge = new Gauge({
    name: 'tidegate_rate_limits_shared',
    help: '1 while all replicas count rate limits together, 0 while each process does.',
    registers: [registry],
    collect: () => gauge.set(shared?.isUp() ? 1 : 0),
  });
  const limits = {
    key: options.RATE_LIMIT_PER_MINUTE,
    heartbeat: options.RATE_LIMIT_HEARTBEATS_PER_MINUTE,
    evaluation: options.RATE_LIMIT_EVALUATIONS_PER_MINUTE,
    address: options.RATE_LIMIT_ANONYMOUS_PER_MINUTE,
  };
  return new RateLimits({ limits, shared });
}
