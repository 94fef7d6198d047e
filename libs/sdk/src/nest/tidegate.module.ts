import {
  type CallHandler,
  type DynamicModule,
  type ExecutionContext,
  Inject,
  type InjectionToken,
  Module,
  type NestInterceptor,
  type OnApplicationShutdown,
  type OptionalFactoryDependency,
  type Provider,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { currentContext, runWithContext } from '../context/current-context.ts';
import type { DualReadMetrics } from '../dual-read/dual-read.port.ts';
import type { Observer } from '../observer.port.ts';
import type { TidegateOptions } from '../options.ts';
import { type Report, reportTo } from '../report.ts';
import type { Tidegate } from '../tidegate.port.ts';
import { createTidegate } from '../tidegate.sse.ts';
import { withHooks } from '../with-hooks.ts';
import { InjectFlags, REQUESTS, type Requests, TIDEGATE } from './inject.ts';
import type { ModeMetrics } from './mode-metrics.port.ts';
import { type RequestContextOptions, RequestContexts } from './request-contexts.ts';

interface NestOptions {
  /**
   * Given, `flags.boolean('key', false)` inside a request needs no context: it is filled with `endpoint` (the
   * route's pattern), `method` and what these say. `{}` fills those two alone. Not given, it costs nothing.
   */
  readonly requestContext?: RequestContextOptions;
  /** Hear of every evaluation: `exposureMetrics()`, `spanEvents()`. */
  readonly observers?: readonly Observer[];
  /** What every ModeGuard counts with: `modeMetrics()`. */
  readonly modeMetrics?: ModeMetrics;
  /** What every `provideDualRead` counts with: `dualReadMetrics()`. */
  readonly dualReadMetrics?: DualReadMetrics;
}

/** How to make a client, or one that is made; the module closes either. */
export type TidegateModuleOptions = NestOptions &
  (TidegateOptions | { readonly client: Tidegate; readonly onError?: Report });

export interface TidegateAsyncOptions extends Pick<DynamicModule, 'imports'> {
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory: (
    ...injected: never[]
  ) => TidegateModuleOptions | Promise<TidegateModuleOptions>;
}

const OPTIONS = Symbol('TIDEGATE_OPTIONS');

/**
 * One client for the whole application, from its start to its shutdown. The application starts without
 * waiting for flags; one that must not, awaits `app.get(TIDEGATE).ready()` before it listens.
 */
@Module({})
export class TidegateModule implements OnApplicationShutdown {
  readonly #client: Tidegate;

  constructor(@InjectFlags() client: Tidegate) {
    this.#client = client;
  }

  static forRoot(options: TidegateModuleOptions): DynamicModule {
    return moduleOf({ useFactory: () => options }, options.requestContext !== undefined);
  }

  static forRootAsync(options: TidegateAsyncOptions): DynamicModule {
    return moduleOf(options, true);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#client.close();
  }
}

const moduleOf = (
  { imports, inject, useFactory }: TidegateAsyncOptions,
  mayFillContext: boolean,
): DynamicModule => ({
  module: TidegateModule,
  global: true,
  imports: imports ?? [],
  providers: [
    { provide: OPTIONS, inject: inject ?? [], useFactory },
    { provide: TIDEGATE, inject: [OPTIONS], useFactory: clientOf },
    { provide: REQUESTS, inject: [OPTIONS], useFactory: requestsOf },
    ...(mayFillContext ? [interceptor] : []),
  ],
  exports: [TIDEGATE, REQUESTS],
});

const clientOf = (options: TidegateModuleOptions): Tidegate =>
  withHooks(
    'client' in options ? options.client : createTidegate(options),
    {
      contextOf: options.requestContext && currentContext,
      observers: options.observers,
    },
    options.onError,
  );

function requestsOf(options: TidegateModuleOptions): Requests {
  const report = reportTo(options.onError);
  return {
    contexts: new RequestContexts(options.requestContext ?? {}, report),
    report,
    modeMetrics: options.modeMetrics,
    dualReadMetrics: options.dualReadMetrics,
  };
}

/** After all guards, so that the request's user is known; around pipes and handler. */
class ContextInterceptor implements NestInterceptor {
  readonly #contexts: RequestContexts;

  constructor(@Inject(REQUESTS) { contexts }: Requests) {
    this.#contexts = contexts;
  }

  intercept(context: ExecutionContext, next: CallHandler): ReturnType<CallHandler['handle']> {
    const asks = this.#contexts.of(context);
    return asks === undefined ? next.handle() : runWithContext(asks, () => next.handle());
  }
}

const interceptor: Provider = {
  provide: APP_INTERCEPTOR,
  inject: [OPTIONS, REQUESTS],
  useFactory: ({ requestContext }: TidegateModuleOptions, requests: Requests): NestInterceptor =>
    requestContext
      ? new ContextInterceptor(requests)
      : { intercept: (_context, next) => next.handle() },
};
