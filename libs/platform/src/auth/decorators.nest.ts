import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension } from '@nestjs/swagger';
import type { Role } from '@tidegate/contracts';
import { AppError, isRejection } from '@tidegate/kernel';
import type { FastifyRequest } from 'fastify';
import { type Caller, mayUse, permit } from './access.ts';

/** Where the environment that a request is about stands; `environment` names a route parameter. */
export interface RoleScope {
  readonly environment?: string;
  /** In the field `environment` of the body or the query; if absent there, a key for all is needed. */
  readonly environmentIn?: 'body' | 'query';
  /** Only keys for every environment may. */
  readonly everyEnvironment?: true;
}

export interface RouteNeed extends RoleScope {
  readonly role: Role;
}

export const ROUTE_NEED = Symbol('tidegate:route-need');

/** Who may use a route: keys of this role or a higher one, in the request's environment. */
export const RequireRole =
  (role: Role, scope: RoleScope = {}): MethodDecorator & ClassDecorator =>
  (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const decorators = [
      SetMetadata(ROUTE_NEED, { role, ...scope }),
      ApiBearerAuth(),
      ApiExtension('x-role', role),
    ];
    for (const decorate of decorators) {
      if (key !== undefined && descriptor) decorate(target, key, descriptor);
      else (decorate as ClassDecorator)(target as Function);
    }
  };

/** Anybody may use it, without a key. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(ROUTE_NEED, 'public');

/** The caller; a route that is `@Public` has none and must not ask. */
export const Who = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (isRejection(caller)) throw new AppError(caller.code, caller.message);
  return caller;
});

/** For routes that learn the environment late. Thrown AUTH_ENVIRONMENT_FORBIDDEN. */
export function requireEnvironment(caller: Caller, environment: string): void {
  if (mayUse(caller, environment)) return;
  const refused = permit(caller, { role: 'sdk', environment });
  if (isRejection(refused)) throw new AppError(refused.code, refused.message);
}
