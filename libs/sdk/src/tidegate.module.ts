import {
  type DynamicModule,
  Inject,
  type InjectionToken,
  Module,
  type OnApplicationShutdown,
  type OptionalFactoryDependency,
} from '@nestjs/common';
import type { TidegateOptions } from './options.ts';
import type { Tidegate } from './tidegate.port.ts';
import { createTidegate } from './tidegate.sse.ts';

/** Token of the `Tidegate` that TidegateModule provides. */
export const TIDEGATE = Symbol('TIDEGATE');

/** `constructor(@InjectTidegate() private readonly flags: Tidegate)` */
export const InjectTidegate = (): PropertyDecorator & ParameterDecorator => Inject(TIDEGATE);

export interface TidegateAsyncOptions extends Pick<DynamicModule, 'imports'> {
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory: (...injected: never[]) => TidegateOptions | Promise<TidegateOptions>;
}

/**
 * One client for the whole application, from its start to its shutdown. The application starts without
 * waiting for flags; one that must not, awaits `app.get(TIDEGATE).ready()` before it listens.
 */
@Module({})
export class TidegateModule implements OnApplicationShutdown {
  readonly #client: Tidegate;

  constructor(@Inject(TIDEGATE) client: Tidegate) {
    this.#client = client;
  }

  static forRoot(options: TidegateOptions): DynamicModule {
    return TidegateModule.forRootAsync({ useFactory: () => options });
  }

  static forRootAsync({ imports, inject, useFactory }: TidegateAsyncOptions): DynamicModule {
    return {
      module: TidegateModule,
      global: true,
      imports: imports ?? [],
      providers: [
        {
          provide: TIDEGATE,
          inject: inject ?? [],
          useFactory: async (...injected: never[]) => createTidegate(await useFactory(...injected)),
        },
      ],
      exports: [TIDEGATE],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#client.close();
  }
}
