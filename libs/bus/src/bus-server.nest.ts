import { Catch, type INestMicroservice, type RpcExceptionFilter } from '@nestjs/common';
import {
  type CustomTransportStrategy,
  type MessageHandler,
  type MicroserviceOptions,
  NestMicroservice,
  Server,
} from '@nestjs/microservices';
import { definitionOf, type MessageDefinition } from '@tidegate/contracts';
import { isObservable, lastValueFrom, type Observable, throwError } from 'rxjs';
import type { Bus, Delivery, Running } from './bus.port.ts';
import { busError } from './errors.ts';
import { KILLS } from './topic.ts';
import { inConsumerSpan } from './trace.otel.ts';

export interface BusServerOptions {
  /** `flag-service`: its group, and the beginning of its other groups' names. */
  readonly service: string;
}

interface Registered {
  readonly definition: MessageDefinition;
  readonly group: string;
  readonly handler: MessageHandler;
}

/**
 * Serves `@EventPattern(DisableFlag.type)` methods: the payload is the message, the context its delivery. Groups:
 * `<service>`, for topic kills `<service>.kills`, and with `@EventPattern(type, { group: 'history' })` `<service>.history`.
 * Several handlers of one type and group run one after another. Connect it with `connectBus`.
 */
export class BusServer extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol.for('tidegate.bus');
  override readonly propagatesEventHandlerErrors = true;
  readonly #bus: Bus;
  readonly #options: BusServerOptions;
  readonly #registered: Registered[] = [];
  #running: readonly Running[] = [];

  constructor(bus: Bus, options: BusServerOptions) {
    super();
    this.#bus = bus;
    this.#options = options;
  }

  /** Nest's own chains the handlers of one pattern, so that they would share one group. */
  override addHandler(
    pattern: string,
    handler: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    const definition = definitionOf(pattern);
    if (!isEventHandler)
      throw busError('BUS_HANDLER_INVALID', `${pattern}: the bus serves @EventPattern only.`);
    if (!definition)
      throw busError('BUS_TYPE_UNKNOWN', `${pattern} is not a message type of the catalogue.`);
    this.#registered.push({
      definition,
      handler,
      group: this.#groupOf(definition, extras['group']),
    });
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    let failure: unknown;
    try {
      await this.#subscribe();
    } catch (error) {
      failure = error;
    }
    callback(failure);
  }

  /** Finishes what is being handled; the bus itself stays open. */
  async close(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.stop()));
    this.#running = [];
  }

  override on(): never {
    throw busError('BUS_HANDLER_INVALID', 'The bus server has no events; use bus.onReport.');
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as the base class has it
  override unwrap<T>(): T {
    return this.#bus as T;
  }

  #groupOf({ topic }: MessageDefinition, extra: unknown): string {
    const { service } = this.#options;
    if (typeof extra === 'string') return `${service}.${extra}`;
    return topic === KILLS ? `${service}.kills` : service;
  }

  async #subscribe(): Promise<void> {
    const groups = Map.groupBy(this.#registered, ({ group }) => group);
    this.#running = await Promise.all(
      [...groups].map(([group, registered]) => {
        const byType = Map.groupBy(registered, ({ definition }) => definition.type);
        return this.#bus.subscribe({
          group,
          topics: [...new Set(registered.map(({ definition }) => definition.topic))],
          types: new Set(byType.keys()),
          handle: (delivery) =>
            inConsumerSpan(group, delivery, async () => {
              for (const { handler } of byType.get(delivery.message.type) ?? [])
                await run(handler, delivery);
            }),
        });
      }),
    );
  }
}

/** A failing handler, or its filter, answers with a stream that fails. */
async function run(handler: MessageHandler, delivery: Delivery): Promise<void> {
  const result: unknown = await handler(delivery.message, delivery);
  if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
}

/** Nest replaces errors by `{ status, message }`; the bus decides by what was thrown. */
@Catch()
class ThrownAsItWas implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** What `connectBus` needs of an application. */
interface Connects {
  connectMicroservice(
    options: MicroserviceOptions,
    hybrid: { readonly deferInitialization: boolean },
  ): INestMicroservice;
}

/**
 * Serves an application's consumers from the bus: from `app.startAllMicroservices()` on, until the server is closed,
 * which the application does when it closes.
 */
export function connectBus(app: Connects, bus: Bus, options: BusServerOptions): BusServer {
  const server = new BusServer(bus, options);
  // Deferred: Nest would make the handlers at once, and with them the filter that hides what was thrown, before ours.
  const consumers = app.connectMicroservice({ strategy: server }, { deferInitialization: true });
  consumers.useGlobalFilters(new ThrownAsItWas());
  // The application has run the hooks that a late start runs again.
  if (consumers instanceof NestMicroservice) consumers.setIsInitHookCalled(true);
  return server;
}
