import { RouteConfig } from '@nestjs/platform-fastify';
import type { CountedApart } from './rate-limits.handler.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who is never refused for asking too often; without it nobody. */
    neverLimited?: Unlimited;
    /** Counted apart from what else the key asks, under a limit of its own. */
    countedAs?: CountedApart;
  }
}

/** `callers`: whoever has a key; `everybody`: also without one. */
export type Unlimited = 'callers' | 'everybody';

/** For routes that must work in an emergency, however many requests came before: `callers`, if nothing else is said. */
export const NeverLimited = (whom: Unlimited = 'callers'): MethodDecorator =>
  RouteConfig({ neverLimited: whom });

/**
 * For signs of life, and other requests that every instance makes by itself: there are as many as instances, and they must
 * not use up what their key may ask besides.
 */
export const LimitedAsHeartbeat = (): MethodDecorator => RouteConfig({ countedAs: 'heartbeat' });

/** For evaluations: an application asks them for each of its users' requests. */
export const LimitedAsEvaluation = (): MethodDecorator => RouteConfig({ countedAs: 'evaluation' });
