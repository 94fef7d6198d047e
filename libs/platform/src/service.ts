import type { Bus } from '@tidegate/bus';
import type { Clock, Ids } from '@tidegate/kernel';
import type { Execute, Faults, Store } from '@tidegate/store';
import type { DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { z } from 'zod';
import type { FastRoute } from './http/fast-route.ts';
import type { RedisConnection } from './redis/connection.redis.ts';

/** What every service gets: made once, by `startService`, and closed by it in the right order. */
export interface ServiceContext {
  /** `flag-service`: the source of its messages, its consumer groups' prefix, its name in logs and metrics. */
  readonly name: string;
  /** Unique to this process. */
  readonly instance: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly bus: Bus;
  readonly store: Store;
  /** The only write path, see libs/store. */
  readonly execute: Execute;
  readonly faults: Faults;
  readonly registry: Registry;
  readonly log: Logger;
  /**
   * A control loop: `run` every `everyMs` after it last ended, from when the service is ready until it stops,
   * and at once when `wake()` is called. A failing run is logged and counted, and the loop goes on.
   */
  loop(name: string, everyMs: number, run: () => Promise<void>): { wake(): void };
  /** Run when the service stops, after its consumers and before bus and store are closed. */
  onStop(close: () => Promise<void>): void;
  /**
   * Adds a line to `/health/ready`: bad while `check` throws or rejects, its message is shown. Only with `required`
   * does it make the service unready; what it resolves with is shown as details.
   */
  health(name: string, check: HealthCheck, options?: { readonly required?: boolean }): void;
  /**
   * What a page about this service's bus or store should say of the service: what it means, what is under way. Only
   * from memory: the store may be what is away.
   */
  onPage(say: (missing: 'bus' | 'store') => string | undefined): void;
  /** The W3C trace context of the work under way, for messages that the service makes itself. */
  traceparent(): string | undefined;
  /** Aborts when the service begins to stop: end event streams then. */
  readonly stopping: AbortSignal;
  /** What replicas share beside the store; undefined without REDIS_URL. */
  readonly redis?: RedisConnection | undefined;
  /** Adds a route past Nest, see `FastRoute`. Only while the service makes its module. */
  route(route: FastRoute): void;
}

/** Details to show, or nothing; throws when it is not well. */
export type HealthCheck = () => HealthDetails | Promise<HealthDetails>;
type HealthDetails = Readonly<Record<string, unknown>> | void;

/** One service, as its app exports it: `main.ts` and standalone start it with `startService`. */
export interface ServiceDefinition<C extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly description: string;
  readonly defaultPort: number;
  /** The service's own options; those that all services share are platform's. */
  readonly config: C;
  /** HTTP status of a rejection or error code where it is not the default (409 for a rejection). */
  readonly statuses: Readonly<Record<string, number>>;
  /** The Nest module with controllers and consumers; handlers are made here and given by token. */
  module(context: ServiceContext, config: z.output<C>): DynamicModule | Promise<DynamicModule>;
}

export const defineService = <C extends z.ZodType>(
  definition: ServiceDefinition<C>,
): ServiceDefinition<C> => definition;

export interface RunningService {
  readonly name: string;
  readonly url: string;
  stop(): Promise<void>;
}
