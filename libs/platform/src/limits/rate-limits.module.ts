import { Gauge } from 'prom-client';
import type { PlatformConfig } from '../config/platform-config.ts';
import type { ServiceContext } from '../service.ts';
import { RateLimits } from './rate-limits.handler.ts';
import type { SharedCounts } from './shared-counts.port.ts';

type Options = Pick<
  PlatformConfig,
  'REDIS_URL' | 'RATE_LIMIT_PER_MINUTE' | 'RATE_LIMIT_ANONYMOUS_PER_MINUTE'
>;

/** The limits of a service, to be closed with it. Redis need not be there: its state shows in health and metrics. */
export async function openRateLimits(
  options: Options,
  context: ServiceContext,
): Promise<RateLimits> {
  const { REDIS_URL, RATE_LIMIT_PER_MINUTE: key, RATE_LIMIT_ANONYMOUS_PER_MINUTE } = options;
  const shared = REDIS_URL === undefined ? undefined : await openShared(REDIS_URL, context);
  const gauge: Gauge = new Gauge({
    name: 'tidegate_rate_limits_shared',
    help: '1 while all replicas count rate limits together, 0 while each process does.',
    registers: [context.registry],
    collect: () => gauge.set(shared?.isUp() ? 1 : 0),
  });
  return new RateLimits({ limits: { key, address: RATE_LIMIT_ANONYMOUS_PER_MINUTE }, shared });
}

/** Loaded only here: its driver costs every start some time. */
async function openShared(
  url: string,
  { name, log, health }: ServiceContext,
): Promise<SharedCounts> {
  const { openRedisCounts } = await import('./shared-counts.redis.ts');
  const shared = openRedisCounts({ url, service: name, log });
  health('redis', () => shared.check());
  return shared;
}
