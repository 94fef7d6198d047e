import type { FactoryProvider, InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import { dualRead } from '../dual-read/dual-read.loop.ts';
import type { DualRead, DualReadOptions } from '../dual-read/dual-read.port.ts';
import type { Tidegate } from '../tidegate.port.ts';
import { REQUESTS, type Requests, TIDEGATE } from './inject.ts';

export interface DualReadProviderOptions<A extends readonly unknown[], R> {
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  /** What it gives without `metrics` and `onError` has those of the module. */
  readonly useFactory: (
    ...injected: never[]
  ) => DualReadOptions<A, R> | Promise<DualReadOptions<A, R>>;
}

/** Provides a dual read under the token; inside a request it asks its flag for the user of the request. */
export const provideDualRead = <A extends readonly unknown[], R>(
  token: InjectionToken<DualRead<A, R>>,
  { inject = [], useFactory }: DualReadProviderOptions<A, R>,
): FactoryProvider<DualRead<A, R>> => ({
  provide: token,
  inject: [TIDEGATE, REQUESTS, ...inject],
  useFactory: async (flags: Tidegate, { dualReadMetrics, report }: Requests, ...injected) => {
    const options = await useFactory(...(injected as never[]));
    return dualRead(flags, {
      ...(dualReadMetrics && { metrics: dualReadMetrics }),
      onError: report,
      ...options,
    });
  },
});
