import { context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type NodeTracerConfig,
  NodeTracerProvider,
  ParentBasedSampler,
} from '@opentelemetry/sdk-trace-node';

export interface TelemetryOptions {
  readonly enabled: boolean;
  /** Base URL of a collector, e.g. `http://localhost:4318`. */
  readonly endpoint: string;
  readonly service: string;
}

export interface Telemetry {
  /** Hands over what is not yet exported. */
  close(): Promise<void>;
}

type Resource = NonNullable<NodeTracerConfig['resource']>;

let users = 0;
let provider: NodeTracerProvider | undefined;

/**
 * Trace ids for the whole process: W3C trace context comes in, goes through the work and goes out again. Spans are
 * recorded and exported only when enabled. The first of several services in one process decides; the last one closes.
 */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  users += 1;
  if (!provider) {
    provider = providerOf(options);
    provider.register();
  }
  let open = true;
  return {
    async close() {
      if (!open) return;
      open = false;
      users -= 1;
      if (users > 0) return;
      const last = provider;
      provider = undefined;
      trace.disable();
      context.disable();
      propagation.disable();
      await last?.shutdown();
    },
  };
}

function providerOf({ enabled, endpoint, service }: TelemetryOptions): NodeTracerProvider {
  const resource = resourceOf(service);
  if (!enabled) return new NodeTracerProvider({ resource, sampler: new AlwaysOffSampler() });
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
  return new NodeTracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
}

/** What exporters say of the process. */
function resourceOf(service: string): Resource {
  const attributes = { 'service.name': service };
  const resource: Resource = {
    attributes,
    merge: (other) =>
      other === null
        ? resource
        : { ...resource, attributes: { ...attributes, ...other.attributes } },
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource;
}
