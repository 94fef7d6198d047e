import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, RouteOptions } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Largest body of this route, where it is more than HTTP_BODY_LIMIT_BYTES. */
    largestBodyBytes?: number;
  }
}

/** For a route that is sent whole files: its body may be larger than HTTP_BODY_LIMIT_BYTES. */
export const LargeBody = (bytes: number): MethodDecorator =>
  RouteConfig({ largestBodyBytes: bytes });

/** Before any route is added. */
export function takeLargeBodies(server: FastifyInstance, limitBytes: number): void {
  server.addHook('onRoute', (route: RouteOptions) => {
    const { largestBodyBytes } = route.config ?? {};
    if (largestBodyBytes !== undefined) route.bodyLimit = Math.max(largestBodyBytes, limitBytes);
  });
}
