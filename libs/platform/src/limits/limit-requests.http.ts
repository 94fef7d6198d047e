import { isRejection, reject } from '@tidegate/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Problems } from '../http/problem-filter.nest.ts';
import { addressBlock } from './address-block.ts';
import { WINDOW_MS } from './allowance.ts';
import type { Unlimited } from './limits.nest.ts';
import type { CallerKind, CountedApart, RateLimits, Taken } from './rate-limits.handler.ts';

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
  const apart = {
    heartbeat: limitAt(options, undefined, 'heartbeat'),
    evaluation: limitAt(options, undefined, 'evaluation'),
  } satisfies Record<CountedApart, Hook>;
  // By route, not in one hook for all: finding out the route of a request takes longer than all of this.
  server.addHook('onRoute', (route: RouteOptions) => {
    const { neverLimited: unlimited, countedAs } = route.config ?? {};
    const hooks = [route.onRequest ?? []].flat();
    const usual = countedAs === undefined ? everywhere : apart[countedAs];
    const hook = unlimited === 'callers' ? byStranger : usual;
    // The HEAD route that Fastify makes of a GET route has its hooks already.
    if (unlimited !== 'everybody' && !hooks.includes(hook)) route.onRequest = [...hooks, hook];
  });
  server.addHook('onRequest', (request, reply, done) => {
    if (request.is404) everywhere(request, reply, done);
    else done();
  });
}

const limitAt =
  (
    { limits, problems, onLimited }: RequestLimitOptions,
    unlimited: Unlimited | undefined,
    ofCallers: 'key' | CountedApart = 'key',
  ): Hook =>
  (request, reply, done) => {
    const { caller } = request;
    const kind = isRejection(caller) ? 'address' : ofCallers;
    if (kind !== 'address' && unlimited === 'callers') return done();
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

const WHO: Readonly<Record<CallerKind, (limit: number) => string>> = {
  key: (limit) => `This key may ask ${limit} times a minute`,
  heartbeat: (limit) => `Instances with this key may give ${limit} signs of life a minute`,
  evaluation: (limit) => `This key may have flags evaluated ${limit} times a minute`,
  address: (limit) =>
    `Without a key that is known here, one address may ask ${limit} times a minute`,
};

const sentence = (kind: CallerKind, { limit, endsInMs }: Taken): string =>
  `${WHO[kind](limit)}; ask again in ${secondsOf(endsInMs)} s.`;
