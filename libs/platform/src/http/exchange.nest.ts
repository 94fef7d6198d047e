import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  HttpCode,
  Post,
} from '@nestjs/common';
import type { Role } from '@tidegate/contracts';
import { AppError, isRejection } from '@tidegate/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../auth/access.ts';
import { RequireRole, type RoleScope } from '../auth/decorators.nest.ts';

/** Who asks, by which request, and where the answer goes. */
export interface Exchange {
  readonly caller: Caller;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** For routes that make a command of a person's request; what they return is still the answer. */
export const Asked = createParamDecorator((_: unknown, context: ExecutionContext): Exchange => {
  const http = context.switchToHttp();
  const request = http.getRequest<FastifyRequest>();
  const { caller } = request;
  if (isRejection(caller)) throw new AppError(caller.code, caller.message);
  return { caller, request, reply: http.getResponse<FastifyReply>() };
});

/** A route by which a person commands; answered with 200, since nothing is made. */
export const CommandRoute = (path: string, role: Role, scope: RoleScope = {}): MethodDecorator =>
  applyDecorators(Post(path), HttpCode(200), RequireRole(role, scope));
