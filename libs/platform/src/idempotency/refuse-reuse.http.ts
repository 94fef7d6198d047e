import { isRejection, reject } from '@tidegate/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { isIdempotencyKey } from '../http/idempotency-key.ts';
import type { Problems } from '../http/problem-filter.nest.ts';
import { fingerprintOf, nameOf } from './fingerprint.ts';
import type { IdempotencyKeys } from './idempotency-keys.handler.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The identity of the command that this request asks for, where its Idempotency-Key alone is not enough. */
    commandId?: string | undefined;
    /** An Idempotency-Key that this request was the first to use. */
    claimedKey?: string | undefined;
  }
}

export interface ReuseOptions {
  readonly keys: IdempotencyKeys;
  readonly problems: Problems;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Nothing was done then: the corrected request may have the same key. */
const UNDONE = new Set([400, 401, 403]);

/**
 * Refuses a key that was used for another operation, before anything happens. What must work in an emergency waits for
 * nobody: it is refused for what this process knows, and else is a command of its own, whatever the key was used for.
 */
export function refuseReuse(server: FastifyInstance, options: ReuseOptions): void {
  const always = refusing(options, false);
  const urgently = refusing(options, true);
  server.decorateRequest('commandId', undefined);
  server.decorateRequest('claimedKey', undefined);
  server.addHook('onRoute', (route: RouteOptions) => {
    if ([route.method].flat().every((method) => SAFE.has(method.toUpperCase()))) return;
    const hook = route.config?.neverLimited === undefined ? always : urgently;
    route.preHandler = [...[route.preHandler ?? []].flat(), hook];
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    if (request.claimedKey !== undefined && UNDONE.has(reply.statusCode))
      options.keys.forget(request.claimedKey);
    done(null, payload);
  });
}

type Hook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: () => void,
) => void | Promise<unknown>;

/** At once where there is no key: requests without one must not pay for it. */
const refusing =
  ({ keys, problems }: ReuseOptions, isUrgent: boolean): Hook =>
  (request, reply, done) => {
    const { caller } = request;
    const key = isRejection(caller) ? undefined : keyOf(request);
    if (key === undefined || isRejection(caller)) return done();
    const claim = { caller: caller.name, key, isUrgent };
    return claimFor(keys, request, claim).then((isOther) => {
      if (isOther) problems.answerRejection(reused, request, reply);
      return isOther ? reply : undefined;
    });
  };

/** True if the key was used for something else. */
async function claimFor(
  keys: IdempotencyKeys,
  request: FastifyRequest,
  { caller, key, isUrgent }: { caller: string; key: string; isUrgent: boolean },
): Promise<boolean> {
  const fingerprint = fingerprintOf(request);
  if (isUrgent) request.commandId = `${key}.${fingerprint.slice(0, 16)}`;
  const name = nameOf(caller, key);
  const claimed = await keys.claim(name, fingerprint, isUrgent);
  if (claimed === 'first') request.claimedKey = name;
  return claimed === 'other';
}

/** Undefined also for a key that is malformed: that is for the handler to say, once it is known who asks for what. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const header = headers['idempotency-key'];
  return isIdempotencyKey(header) ? header : undefined;
}

const reused = reject(
  'IDEMPOTENCY_KEY_REUSED',
  'This Idempotency-Key was used for another request within a day: its method, path, query or body was different. Nothing was done; use a new key.',
);
