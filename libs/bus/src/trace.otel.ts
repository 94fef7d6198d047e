import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Delivery } from './bus.port.ts';

const tracer = trace.getTracer('@tidegate/bus');

/** W3C trace context of what is under way, if it is traced. */
export function activeTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** Runs a handler in a span of its own, within the trace that the message came with. */
export function inConsumerSpan<T>(
  group: string,
  { message, origin }: Delivery,
  run: () => Promise<T>,
): Promise<T> {
  const { traceparent } = message.metadata;
  const parent = traceparent === undefined ? {} : { traceparent };
  return tracer.startActiveSpan(
    `process ${origin.topic}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        // Groups are named after their service: `flag-service.kills`.
        'tidegate.service': group.split('.')[0] ?? group,
        'messaging.system': 'tidegate',
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.destination.name': origin.topic,
        'messaging.destination.partition.id': String(origin.partition),
        'messaging.consumer.group.name': group,
        'messaging.message.id': message.metadata.id,
        'messaging.message.conversation_id': message.metadata.correlationId,
        'tidegate.message.type': message.type,
        'tidegate.message.key': message.key,
      },
    },
    propagation.extract(ROOT_CONTEXT, parent),
    async (span) => {
      try {
        return await run();
      } catch (error) {
        span.recordException(error instanceof Error ? error : String(error));
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    },
  );
}
