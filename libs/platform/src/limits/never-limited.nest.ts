import { RouteConfig } from '@nestjs/platform-fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who is never refused for asking too often; without it nobody. */
    neverLimited?: Unlimited;
  }
}

/** `callers`: whoever has a key; `everybody`: also without one. */
export type Unlimited = 'callers' | 'everybody';

/** For routes that must work in an emergency, however many requests came before: `callers`, if nothing else is said. */
export const NeverLimited = (whom: Unlimited = 'callers'): MethodDecorator =>
  RouteConfig({ neverLimited: whom });
