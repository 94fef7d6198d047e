import type { ServiceContext } from '@tidegate/platform';
import { embeddedCounts } from './adoption-counts.embedded.ts';
import type { AdoptionCounts } from './adoption-counts.port.ts';

/** Where everybody counts together, if there is Redis; else in this process alone. */
export async function openCounts({ redis, clock }: ServiceContext): Promise<AdoptionCounts> {
  if (!redis) return embeddedCounts(clock.now());
  const { RedisCounts } = await import('./adoption-counts.redis.ts');
  return new RedisCounts(redis, clock.now());
}
