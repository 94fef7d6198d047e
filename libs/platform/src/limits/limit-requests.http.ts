import { isRejection, reject } from '@tidegate/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Problems } from '../http/problem-filter.nest.ts';
import { addressBlock } from './address-block.ts';
import { WINDOW_MS } from './allowance.ts';
import type { Unlimited } from './never-limited.nest.ts';
import type { CallerKind, RateLimits, Taken } from './rate-limits.handler.ts';

export interface RequestLimitOptions {
  readonly limits: RateLimits;
  readonly problems: Problems;
  readonly onLimited: (kind: CallerKind) => void;
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * Refuses who asks too often with 429, Retry-After, and RateLimit headers (draft-ietf-httpapi-ratelimit-headers-10);
 * the hook comes after the one that finds out who asks. Unknown routes count too.
 */
export function limitRequests(server: FastifyInstance, options: RequestLimitOptions): void {
  const everywhere = limitAt(options, undefined);
  const byStranger = limitAt(options, 'callers');
  // By route, not in one hook for all: finding out the route of a request takes longer than all of this.
  server.addHook('onRoute', (route: RouteOptions) => {
    const unlimited = route.config?.neverLimited;
    const hooks = [route.onRequest ?? []].flat();
    const hook = unlimited === 'callers' ? byStranger : everywhere;
    // The HEAD route that Fastify makes of a GET route has its hooks already.
    if (unlimited !== 'everybody' && !hooks.includes(hook)) route.onRequest = [...hooks, hook];
  });
  server.addHook('onRequest', (request, reply, done) => {
    if (request.is404) everywhere(request, reply, done);
    else done();
  });
}

const limitAt =
  ({ limits, problems, onLimited }: RequestLimitOptions, unlimited: Unlimited | undefined): Hook =>
  (request, reply, done) => {
    const { caller } = request;
    const kind = isRejection(caller) ? 'address' : 'key';
    if (kind === 'key' && unlimited === 'callers') return done();
    const who = isRejection(caller) ? addressBlock(request.ip) : caller.name;
    const taken = limits.take(kind, who);
    if (taken === undefined || taken.allowed) return done();
    onLimited(kind);
    describe(reply, kind, taken);
    const refusal = reject('RATE_LIMITED', sentence(kind, taken));
    problems.answerRejection(refusal, request, reply);
  };

const secondsOf = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));

function describe(reply: FastifyReply, kind: CallerKind, taken: Taken): void {
  const seconds = secondsOf(taken.endsInMs);
  reply.header('retry-after', String(seconds));
  reply.header('ratelimit-policy', `"${kind}";q=${taken.limit};w=${WINDOW_MS / 1_000}`);
  reply.header('ratelimit', `"${kind}";r=${taken.remaining};t=${seconds}`);
}

const sentence = (kind: CallerKind, { limit, endsInMs }: Taken): string =>
  kind === 'key'
    ? `This key may ask ${limit} times a minute; ask again in ${secondsOf(endsInMs)} s.`
    : `Without a key that is known here, one address may ask ${limit} times a minute; ask again in ${secondsOf(endsInMs)} s.`;
