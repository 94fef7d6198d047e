import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { EVERY_ENVIRONMENT, type Role } from '@tidegate/contracts';
import { AppError, isRejection, type Rejection } from '@tidegate/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bearerOf, type Caller, permit, undeclaredRoute, unknownKey } from './access.ts';
import { ROUTE_NEED, type RouteNeed } from './decorators.nest.ts';
import type { KeyRing } from './key-ring.file.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, or why that is not known. */
    caller: Caller | Rejection;
    readonly keyRing: KeyRing;
  }
}

/** Finds out who asks, for every route; whether they may is the guard's question. */
export function authenticate(server: FastifyInstance, keys: KeyRing): void {
  const nobody = bearerOf(undefined) as Rejection;
  server.decorateRequest('caller', undefined as unknown as Rejection);
  server.decorateRequest('keyRing', { getter: () => keys });
  server.addHook('onRequest', (request, _reply, done) => {
    const { authorization } = request.headers;
    request.caller = authorization === undefined ? nobody : callerOf(keys, authorization);
    done();
  });
}

function callerOf(keys: KeyRing, authorization: string): Caller | Rejection {
  const key = bearerOf(authorization);
  return isRejection(key) ? key : (keys.find(key) ?? unknownKey());
}

/** Whether this request may, for routes that are not Nest's: the caller, or why not. */
export const authorize = (
  request: FastifyRequest,
  role: Role,
  environment?: string,
): Caller | Rejection =>
  isRejection(request.caller) ? request.caller : permit(request.caller, { role, environment });

/** Asks again with the keys of then: for what goes on after its request was let in, e.g. a stream. */
export function permission(
  { keyRing, headers: { authorization = '' } }: FastifyRequest,
  role: Role,
  environment: string,
): () => boolean {
  return () => {
    const caller = callerOf(keyRing, authorization);
    return !isRejection(caller) && !isRejection(permit(caller, { role, environment }));
  };
}

/** Denies by default: a route says with @RequireRole or @Public who may use it. Thrown AUTH_… */
export class KeyGuard implements CanActivate {
  readonly #reflector = new Reflector();
  /** By class, since controllers may inherit a method and change who may use it. */
  readonly #needs = new WeakMap<object, Map<object, RouteNeed | 'public'>>();

  canActivate(context: ExecutionContext): boolean {
    const need = this.#needOf(context);
    if (need === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const permitted = need
      ? authorize(request, need.role, environmentOf(need, request))
      : undeclaredRoute();
    if (isRejection(permitted)) throw new AppError(permitted.code, permitted.message);
    return true;
  }

  /** Remembered: reading metadata takes longer than all else that happens here. */
  #needOf(context: ExecutionContext): RouteNeed | 'public' | undefined {
    const [handler, controller] = [context.getHandler(), context.getClass()];
    const known = this.#needs.get(controller) ?? new Map<object, RouteNeed | 'public'>();
    this.#needs.set(controller, known);
    const need =
      known.get(handler) ??
      this.#reflector.getAllAndOverride<RouteNeed | 'public' | undefined>(ROUTE_NEED, [
        handler,
        controller,
      ]);
    if (need) known.set(handler, need);
    return need;
  }
}

function environmentOf(need: RouteNeed, request: FastifyRequest): string | undefined {
  if (need.everyEnvironment) return EVERY_ENVIRONMENT;
  if (need.environment !== undefined) return fieldOf(request.params, need.environment);
  if (need.environmentIn === undefined) return undefined;
  return fieldOf(request[need.environmentIn], 'environment');
}

/** A request that does not say which environment it is about is about any: only a key for all will do. */
function fieldOf(from: unknown, field: string): string {
  const value = typeof from === 'object' && from !== null ? Reflect.get(from, field) : undefined;
  return typeof value === 'string' && value !== '' ? value : EVERY_ENVIRONMENT;
}
