export { spanEvents, spanEventsHook, type SpanEventsOptions } from './opentelemetry/span-events.ts';
