import { AsyncLocalStorage } from 'node:async_hooks';
import {
  applyDecorators,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  Inject,
  mixin,
  type NestInterceptor,
  type Type,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { AppError } from '@tidegate/kernel';
import type { SdkErrorCode } from '../errors.ts';
import type { Tidegate } from '../tidegate.port.ts';
import { InjectFlags, REQUESTS, type Requests } from './inject.ts';
import { problem } from './problem.nest.ts';

type Value = boolean | string | number;

export interface FeatureGateOptions<M extends string = string> {
  /** What the flag must answer to open the gate. Default true. */
  readonly value?: Value;
  /** The method of the same controller that serves while the gate is shut, with the same arguments. */
  readonly otherwise?: M;
}

type GateDecorator<M extends string> = <T extends object>(
  target: T & ([M] extends [never] ? unknown : Record<M, (...args: never[]) => unknown>),
  name?: string | symbol,
  descriptor?: PropertyDescriptor,
) => void;

/**
 * Opens a route, or all routes of a controller, only to whom the flag answers with `value`. To everyone else there
 * is no such route: 404 as problem+json, before any pipe looks at the request; or another method serves,
 * `@FeatureGate('checkout-v2', { otherwise: 'oldCheckout' })`. An error, as of an unknown flag, keeps it shut.
 * Thrown SDK_OPTIONS_INVALID when there is no such method.
 */
export function FeatureGate<M extends string = never>(
  key: string,
  { value = true, otherwise }: FeatureGateOptions<M> = {},
): GateDecorator<M> {
  const gate = new Gate(key, value);
  if (otherwise === undefined) return UseGuards(guardOf(gate));
  return ((target: Record<string, unknown>, name: string, descriptor?: PropertyDescriptor) => {
    if (descriptor === undefined)
      throw invalid(key, 'a whole controller cannot be served otherwise, only its methods');
    if (typeof target[otherwise] !== 'function')
      throw invalid(key, `${target.constructor.name} has no method ${otherwise}`);
    const isOpen = new AsyncLocalStorage<boolean>();
    descriptor.value = either(descriptor.value as Method, otherwise, isOpen);
    applyDecorators(UseInterceptors(interceptorOf(gate, isOpen)))(target, name, descriptor);
  }) as GateDecorator<M>;
}

const invalid = (key: string, problem: string): AppError<SdkErrorCode> =>
  new AppError('SDK_OPTIONS_INVALID', `FeatureGate of ${key}: ${problem}.`);

class Gate {
  readonly #key: string;
  readonly #value: Value;

  constructor(key: string, value: Value) {
    this.#key = key;
    this.#value = value;
  }

  isOpen(flags: Tidegate, { contexts }: Requests, context: ExecutionContext): boolean {
    const { value, errorCode } = flags.details<unknown>(this.#key, undefined, contexts.of(context));
    return errorCode === undefined && value === this.#value;
  }
}

function guardOf(gate: Gate): Type<CanActivate> {
  class FeatureGuard implements CanActivate {
    readonly #flags: Tidegate;
    readonly #requests: Requests;

    constructor(@InjectFlags() flags: Tidegate, @Inject(REQUESTS) requests: Requests) {
      this.#flags = flags;
      this.#requests = requests;
    }

    canActivate(context: ExecutionContext): boolean {
      if (gate.isOpen(this.#flags, this.#requests, context)) return true;
      throw problem(context, {
        title: 'Not Found',
        status: 404,
        detail: 'There is no such route.',
        code: 'ROUTE_UNKNOWN',
      });
    }
  }
  return mixin(FeatureGuard);
}

function interceptorOf(gate: Gate, isOpen: AsyncLocalStorage<boolean>): Type<NestInterceptor> {
  class FeatureInterceptor implements NestInterceptor {
    readonly #flags: Tidegate;
    readonly #requests: Requests;

    constructor(@InjectFlags() flags: Tidegate, @Inject(REQUESTS) requests: Requests) {
      this.#flags = flags;
      this.#requests = requests;
    }

    intercept(context: ExecutionContext, next: CallHandler): ReturnType<CallHandler['handle']> {
      const decision = gate.isOpen(this.#flags, this.#requests, context);
      return isOpen.run(decision, () => next.handle());
    }
  }
  return mixin(FeatureInterceptor);
}

type Method = (this: Record<string, Method>, ...args: unknown[]) => unknown;

/** What Nest has noted on the method goes with it, so that the order of decorators does not matter. */
function either(method: Method, otherwise: string, isOpen: AsyncLocalStorage<boolean>): Method {
  const chosen: Method = function chosen(...args) {
    return isOpen.getStore() === false ? this[otherwise]?.(...args) : method.apply(this, args);
  };
  for (const key of Reflect.getMetadataKeys(method) as unknown[])
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method), chosen);
  return Object.defineProperty(chosen, 'name', { value: method.name });
}
