import { EVERY_ENVIRONMENT, type Role, roles } from '@tidegate/contracts';
import { reject, type Rejection } from '@tidegate/kernel';
import type { AuthCode } from '../errors.ts';

/** Who asks, as the key says. */
export interface Caller {
  /** The key's name: the actor of what it changes. */
  readonly name: string;
  readonly role: Role;
  /** `['*']`: every one. */
  readonly environments: readonly string[];
}

export interface Need {
  readonly role: Role;
  /** The environment that the request is about; undefined if about none; `'*'` if about all of them. */
  readonly environment?: string | undefined;
}

const refuse = (code: AuthCode, message: string): Rejection => reject(code, message);

export const mayUse = (caller: Caller, environment: string): boolean =>
  caller.environments.includes(EVERY_ENVIRONMENT) || caller.environments.includes(environment);

/** The caller if it may, else why not: AUTH_ROLE_TOO_LOW or AUTH_ENVIRONMENT_FORBIDDEN, naming what was needed. */
export function permit(caller: Caller, { role, environment }: Need): Caller | Rejection {
  if (roles.indexOf(caller.role) < roles.indexOf(role))
    return refuse(
      'AUTH_ROLE_TOO_LOW',
      `This needs a key with the role ${role}; ${caller.name} has the role ${caller.role}.`,
    );
  if (environment !== undefined && !mayUse(caller, environment))
    return refuse(
      'AUTH_ENVIRONMENT_FORBIDDEN',
      environment === EVERY_ENVIRONMENT
        ? `This needs a key for every environment; ${caller.name} has one for ${caller.environments.join(', ')}.`
        : `This needs a key for the environment ${environment}; ${caller.name} has one for ${caller.environments.join(', ')}.`,
    );
  return caller;
}

/** The key of `Authorization: Bearer <key>`; refused with AUTH_KEY_MISSING. */
export function bearerOf(authorization: string | undefined): string | Rejection {
  const key = /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
  return (
    key ?? refuse('AUTH_KEY_MISSING', 'A key is needed in the header Authorization: Bearer <key>.')
  );
}

export const unknownKey = (): Rejection =>
  refuse('AUTH_KEY_UNKNOWN', 'The key in the header Authorization is not known here.');

export const undeclaredRoute = (): Rejection =>
  refuse('AUTH_ROUTE_UNDECLARED', 'This route does not say who may use it, so nobody may.');
