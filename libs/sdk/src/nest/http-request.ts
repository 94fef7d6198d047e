import type { ExecutionContext } from '@nestjs/common';

/** What Fastify's and Express's requests have in common. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

interface Routed extends HttpRequest {
  readonly routeOptions?: { readonly url?: string };
  readonly route?: { readonly path?: unknown };
}

/** What Fastify's and Express's answers have in common. */
export interface HttpReply {
  header(name: string, value: string): unknown;
  readonly raw?: RawReply;
}

/** Node's own, below both. */
export interface RawReply {
  setHeader(name: string, value: string): unknown;
  hasHeader(name: string): boolean;
  once(event: 'finish', listener: () => void): unknown;
}

/** Not a message or a GraphQL query, which pass the same guards. */
export const isHttp = (context: ExecutionContext): boolean => context.getType() === 'http';

export const requestOf = (context: ExecutionContext): HttpRequest =>
  context.switchToHttp().getRequest<HttpRequest>();

/** The pattern of the route that was matched, e.g. `/orders/:id`: one of a closed set, whatever was asked. */
export function endpointOf(request: HttpRequest): string {
  const { routeOptions, route } = request as Routed;
  const pattern = routeOptions?.url ?? route?.path;
  return typeof pattern === 'string' ? pattern : 'unknown';
}
