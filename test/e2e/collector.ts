import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { key: string; value: { stringValue?: string } }[];
}

/** OTLP over HTTP, as JSON. */
interface Exported {
  readonly resourceSpans: readonly { scopeSpans: readonly { spans: readonly Span[] }[] }[];
}

/** Takes the spans that programs export. */
export interface Collector extends AsyncDisposable {
  readonly spans: readonly Span[];
  /** Options of the programs. */
  readonly environment: Readonly<Record<string, string>>;
  /** The span, what it follows from, and so on up to where its trace began. */
  origins(span: Span): readonly Span[];
}

export async function openCollector(): Promise<Collector> {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { resourceSpans } = JSON.parse(body) as Exported;
      for (const { scopeSpans } of resourceSpans)
        spans.push(...scopeSpans.flatMap((of) => of.spans));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origins = (span: Span): readonly Span[] => {
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
    return parent === undefined ? [span] : [span, ...origins(parent)];
  };
  return {
    spans,
    environment: {
      ENABLE_TELEMETRY: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    },
    origins,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export const attribute = ({ attributes }: Span, name: string): string | undefined =>
  attributes.find(({ key }) => key === name)?.value.stringValue;

/** Of one trace: what happened where, in short. */
export const wayOf = (spans: readonly Span[]): readonly (readonly [string | undefined, string])[] =>
  spans.map((span) => [attribute(span, 'tidegate.service'), span.name]);
