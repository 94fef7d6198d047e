import { context, propagation, type Span, trace } from '@opentelemetry/api';

/** The trace id of the work under way; undefined outside of any. */
export const currentTraceId = (): string | undefined =>
  trace.getSpanContext(context.active())?.traceId;

/** The W3C trace context of the work under way, for messages and requests that it causes. */
export function currentTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** For log lines. */
export const traceOf = (span: Span): { traceId: string; spanId: string } => {
  const { traceId, spanId } = span.spanContext();
  return { traceId, spanId };
};

export function traceFields(): { traceId?: string; spanId?: string } {
  const span = trace.getActiveSpan();
  return span ? traceOf(span) : {};
}
