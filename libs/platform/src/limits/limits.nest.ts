import { RouteConfig } from '@nestjs/platform-fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who is never refused for asking too often; without it nobody. */
    neverLimited?: Unlimited;
    /** Counted apart, under RATE_LIMIT_HEARTBEATS_PER_MINUTE. */
    isHeartbeat?: boolean;
  }
}

/** `callers`: whoever has a key; `everybody`: also without one. */
export type Unlimited = 'callers' | 'everybody';

/** For routes that must work in an emergency, however many requests came before: `callers`, if nothing else is said. */
export const NeverLimited = (whom: Unlimited = 'callers'): MethodDecorator =>
  RouteConfig({ neverLimited: whom });

/** For signs of life, and other requests that every instance makes by itself: there are as many as instances, and they must not use up what their key may ask besides. */
export const LimitedAsHeartbeat = (): MethodDecorator => RouteConfig({ isHeartbeat: true });
