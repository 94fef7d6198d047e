import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, type INestMicroservice } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  context,
  type Context,
  INVALID_TRACEID,
  propagation,
  ROOT_CONTEXT,
  trace,
  type TextMapPropagator,
} from '@opentelemetry/api';
import {
  DisableFlag,
  type Message,
  type MessageDefinition,
  type OutgoingMessage,
  SecurityEventRecorded,
  TreeSealed,
} from '@tidegate/contracts';
import { AppError, reject } from '@tidegate/kernel';
import { manualClock, sequentialIds } from '@tidegate/kernel/testing';
import { AsyncLocalStorage } from 'node:async_hooks';
import { of, throwError } from 'rxjs';
import { connectBus } from './bus-server.nest.ts';
import { memoryBus } from './bus.memory.ts';
import type { Delivery } from './bus.port.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(...controllers: (new () => object)[]) {
  const bus = memoryBus({
    clock: manualClock(),
    ids: sequentialIds(),
    policy: { firstRetryMs: 1 },
  });
  closing.push(() => bus.close());
  const module = await Test.createTestingModule({ controllers }).compile();
  const connected: INestMicroservice[] = [];
  const app = {
    connectMicroservice(options: object): INestMicroservice {
      const microservice = module.createNestMicroservice({ ...options, logger: false });
      connected.push(microservice);
      closing.push(() => microservice.close());
      return microservice;
    },
  };
  const server = connectBus(app, bus, { service: 'flag-service' });
  const start = async () => connected[0]?.listen();
  return { bus, server, start };
}

let count = 0;
const outgoing = (definition: MessageDefinition, metadata = {}): OutgoingMessage => {
  count += 1;
  const data = definition.schema.parse(definition.example);
  return {
    topic: definition.topic,
    type: definition.type,
    key: definition.key(data),
    data,
    metadata: {
      id: `m-${count}`,
      source: 'spec',
      at: 1_000,
      actor: 'spec',
      correlationId: 'c',
      ...metadata,
    },
  };
};

describe('consumers', () => {
  it('get the message, and its delivery on request, in the groups that are theirs', async () => {
    const seen: [string, string][] = [];
    @Controller()
    class Consumer {
      @EventPattern(DisableFlag.type)
      onDisable(@Payload() message: Message, @Ctx() delivery: unknown): void {
        seen.push([message.type, (delivery as Delivery).origin.topic]);
      }

      @EventPattern(SecurityEventRecorded.type)
      async onEvent(@Payload() message: Message): Promise<object> {
        seen.push([message.type, message.metadata.id]);
        return reject('EVENT_BORING', 'An answer, and no failure.');
      }

      @EventPattern(SecurityEventRecorded.type, { group: 'history' })
      onHistory(@Payload() message: Message): object {
        seen.push(['history', message.metadata.id]);
        return of('done');
      }
    }
    const { bus, start } = await serve(Consumer);
    await start();
    const event = outgoing(SecurityEventRecorded);
    await bus.publish([outgoing(DisableFlag), event, outgoing(TreeSealed)]);
    await bus.idle();
    expect(new Set(seen)).toEqual(
      new Set([
        ['DisableFlag', 'kills'],
        ['SecurityEventRecorded', event.metadata.id],
        ['history', event.metadata.id],
      ]),
    );
    const groups = new Set((await bus.lag()).map(({ group }) => group));
    expect(groups).toEqual(new Set(['flag-service', 'flag-service.kills', 'flag-service.history']));
    expect(await bus.deadLetters.list({ limit: 9 })).toEqual([]);
  });

  it('of one type in one group run one after another, and share its fate', async () => {
    const calls: string[] = [];
    @Controller()
    class First {
      @EventPattern(SecurityEventRecorded.type)
      async on(@Payload() _message: Message): Promise<void> {
        calls.push('first begins');
        await new Promise(setImmediate);
        calls.push('first ends');
      }
    }
    @Controller()
    class Second {
      @EventPattern(SecurityEventRecorded.type)
      on(@Payload() _message: Message): void {
        calls.push('second');
        throw new AppError('SECOND_BROKEN', 'It is.');
      }
    }
    const { bus, start } = await serve(First, Second);
    await start();
    await bus.publish([outgoing(SecurityEventRecorded)]);
    await bus.idle();
    expect(calls).toEqual(['first begins', 'first ends', 'second']);
    expect(await bus.deadLetters.list({ limit: 9 })).toMatchObject([{ code: 'SECOND_BROKEN' }]);
  });

  it('fail with what they threw, not with what Nest makes of it', async () => {
    let calls = 0;
    @Controller()
    class Consumer {
      @EventPattern(SecurityEventRecorded.type)
      async on(@Payload() _message: Message): Promise<void> {
        calls += 1;
        if (calls < 3) throw new AppError('STORE_UNREACHABLE', 'Away.', { retryable: true });
        throw new TypeError('x is not a function');
      }

      @EventPattern(SecurityEventRecorded.type, { group: 'streams' })
      onStream(@Payload() _message: Message): object {
        return throwError(() => new AppError('STREAM_BROKEN', 'It is.'));
      }
    }
    const { bus, start } = await serve(Consumer);
    await start();
    await bus.publish([outgoing(SecurityEventRecorded)]);
    while ((await bus.deadLetters.list({ limit: 9 })).length < 2) await new Promise(setImmediate);
    const letters = await bus.deadLetters.list({ limit: 9 });
    expect(new Map(letters.map(({ group, code, attempts }) => [group, [code, attempts]]))).toEqual(
      new Map([
        ['flag-service', ['TypeError', 3]],
        ['flag-service.streams', ['STREAM_BROKEN', 1]],
      ]),
    );
  });

  it('are refused at the start if no bus can serve them', async () => {
    @Controller()
    class Asks {
      @MessagePattern(DisableFlag.type)
      on(@Payload() _message: Message): void {}
    }
    @Controller()
    class Dreams {
      @EventPattern('MoonRose')
      on(@Payload() _message: Message): void {}
    }
    await expect((await serve(Asks)).start()).rejects.toMatchObject({
      code: 'BUS_HANDLER_INVALID',
    });
    await expect((await serve(Dreams)).start()).rejects.toMatchObject({ code: 'BUS_TYPE_UNKNOWN' });
  });

  it('stop with the server, which leaves the bus open', async () => {
    const seen: string[] = [];
    @Controller()
    class Consumer {
      @EventPattern(SecurityEventRecorded.type)
      on(@Payload() message: Message): void {
        seen.push(message.metadata.id);
      }
    }
    const { bus, server, start } = await serve(Consumer);
    await start();
    await server.close();
    await bus.publish([outgoing(SecurityEventRecorded)]);
    await bus.idle();
    expect(seen).toEqual([]);
    expect(server.unwrap()).toBe(bus);
  });
});

describe('traces', () => {
  it('go through messages: publish adds the active one, a handler runs in its own', async () => {
    useTracing();
    const seen: (string | undefined)[] = [];
    @Controller()
    class Consumer {
      @EventPattern(SecurityEventRecorded.type)
      async on(@Payload() message: Message): Promise<void> {
        await Promise.resolve();
        seen.push(message.metadata.traceparent, trace.getSpanContext(context.active())?.traceId);
      }
    }
    const { bus, start } = await serve(Consumer);
    await start();
    const traceparent = `00-${'1'.repeat(32)}-${'a'.repeat(16)}-01`;
    const other = `00-${'2'.repeat(32)}-${'b'.repeat(16)}-01`;
    const active = propagation.extract(ROOT_CONTEXT, { traceparent });
    await context.with(active, () => bus.publish([outgoing(SecurityEventRecorded)]));
    await context.with(active, () =>
      bus.publish([outgoing(SecurityEventRecorded, { traceparent: other })]),
    );
    await bus.publish([outgoing(SecurityEventRecorded)]);
    await bus.idle();
    expect(seen).toEqual([
      traceparent,
      '1'.repeat(32),
      other,
      '2'.repeat(32),
      undefined,
      INVALID_TRACEID,
    ]);
  });
});

/** The little of an OpenTelemetry SDK that the API needs to carry a context. */
function useTracing(): void {
  const storage = new AsyncLocalStorage<Context>();
  context.setGlobalContextManager({
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, run, self, ...args) => storage.run(active, () => run.apply(self, args)),
    bind: (_active, target) => target,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  const propagator: TextMapPropagator<{ traceparent?: string }> = {
    inject(active, carrier) {
      const span = trace.getSpanContext(active);
      if (span) carrier.traceparent = `00-${span.traceId}-${span.spanId}-01`;
    },
    extract(active, { traceparent }) {
      const [, traceId, spanId] = traceparent?.split('-') ?? [];
      if (traceId === undefined || spanId === undefined) return active;
      return trace.setSpanContext(active, { traceId, spanId, traceFlags: 1, isRemote: true });
    },
    fields: () => ['traceparent'],
  };
  propagation.setGlobalPropagator(propagator);
  closing.push(async () => {
    context.disable();
    propagation.disable();
  });
}
