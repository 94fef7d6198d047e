import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Bus, RawRecord } from '@tidegate/bus';
import type { OutgoingMessage } from '@tidegate/contracts';

const tracer = trace.getTracer('@tidegate/platform');

/**
 * The bus, with a span for each message that a service sends and for each record that it takes in batches, in the
 * trace that the message belongs to. Whoever handles the message goes on from the span of its sending; a message that
 * an outbox sends later is sent in the trace of what caused it.
 */
export function tracedBus(bus: Bus, service: string): Bus {
  return {
    publish: async (messages) => {
      const begun = messages.map((message) => beginSend(message, service));
      await ending(
        begun.map(({ span }) => span),
        () => bus.publish(begun.map(({ message }) => message)),
      );
    },
    subscribeRaw: (subscription) =>
      bus.subscribeRaw({
        ...subscription,
        handle: (batch) => {
          const spans = batch.flatMap((raw) => beginProcess(raw, subscription.group, service));
          return ending(spans, () => subscription.handle(batch));
        },
      }),
    subscribe: (subscription) => bus.subscribe(subscription),
    view: (source) => bus.view(source),
    deadLetters: bus.deadLetters,
    lag: () => bus.lag(),
    topics: () => bus.topics(),
    onReport: (listener) => bus.onReport(listener),
    check: () => bus.check(),
    close: () => bus.close(),
  };
}

interface Sending {
  readonly message: OutgoingMessage;
  readonly span: Span | undefined;
}

function beginSend(message: OutgoingMessage, service: string): Sending {
  const { topic, metadata } = message;
  const parent =
    metadata.traceparent === undefined ? context.active() : contextOf(metadata.traceparent);
  if (!isRecorded(parent)) return { message, span: undefined };
  const span = tracer.startSpan(
    `send ${topic}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: {
        'tidegate.service': service,
        'messaging.system': 'tidegate',
        'messaging.operation.type': 'send',
        'messaging.operation.name': 'send',
        'messaging.destination.name': topic,
        'messaging.message.id': metadata.id,
        'messaging.message.conversation_id': metadata.correlationId,
        'tidegate.message.type': message.type,
        'tidegate.message.key': message.key,
      },
    },
    parent,
  );
  const carrier: { traceparent?: string } = {};
  propagation.inject(trace.setSpan(parent, span), carrier);
  return { message: { ...message, metadata: { ...metadata, ...carrier } }, span };
}

function beginProcess({ record, origin }: RawRecord, group: string, service: string): Span[] {
  const { traceparent, ce_id: id = '', ce_type: type = '' } = record.headers;
  if (traceparent === undefined) return [];
  const parent = contextOf(traceparent);
  if (!isRecorded(parent)) return [];
  const span = tracer.startSpan(
    `process ${origin.topic}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        'tidegate.service': service,
        'messaging.system': 'tidegate',
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.destination.name': origin.topic,
        'messaging.destination.partition.id': String(origin.partition),
        'messaging.consumer.group.name': group,
        'messaging.message.id': id,
        'tidegate.message.type': type,
      },
    },
    parent,
  );
  return [span];
}

const contextOf = (traceparent: string): Context =>
  propagation.extract(ROOT_CONTEXT, { traceparent });

/** Most of what goes over the bus is in no trace that anybody records. */
const isRecorded = (parent: Context): boolean =>
  ((trace.getSpanContext(parent)?.traceFlags ?? 0) & 1) === 1;

async function ending(
  spans: readonly (Span | undefined)[],
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    for (const span of spans) {
      span?.recordException(error instanceof Error ? error : String(error));
      span?.setStatus({ code: SpanStatusCode.ERROR });
    }
    throw error;
  } finally {
    for (const span of spans) span?.end();
  }
}
