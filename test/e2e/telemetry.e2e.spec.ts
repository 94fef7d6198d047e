import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { makeFlags, openHouse, startRollout } from './house.ts';

jest.setTimeout(60_000);

/** OTLP over HTTP, as JSON. */
interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { key: string; value: { stringValue?: string } }[];
}
interface Exported {
  readonly resourceSpans: readonly { scopeSpans: readonly { spans: readonly Span[] }[] }[];
}

const spans: Span[] = [];
const collector = createServer((request, response) => {
  void text(request).then((body) => {
    const { resourceSpans } = JSON.parse(body) as Exported;
    for (const { scopeSpans } of resourceSpans) spans.push(...scopeSpans.flatMap((of) => of.spans));
    response.setHeader('content-type', 'application/json').end('{}');
  });
}).listen(0, '127.0.0.1');
await once(collector, 'listening');
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
});

const attribute = ({ attributes }: Span, name: string): string | undefined =>
  attributes.find(({ key }) => key === name)?.value.stringValue;

/** The span, what it follows from, and so on up to where its trace began. */
function origins(span: Span): readonly Span[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent === undefined ? [span] : [span, ...origins(parent)];
}

it('is one trace from a request, over the topics between the services, to the audit record', async () => {
  const { port } = collector.address() as AddressInfo;
  await using house = await openHouse({
    ENABLE_TELEMETRY: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  });
  await makeFlags(house, 'checkout-v2');
  const plan =
    'plan: trace\nflag: checkout-v2\nsteps:\n  - { stage: a, percentage: 10, hold: 1h }\n';
  await startRollout(house, 'trace', plan);
  const path = '/v1/records?type=tidegate.flag.held.v1';
  const record = await eventually(async () => {
    const { body } = await house.ask<{ items: { manifest: { id: string } }[] }>(
      'GET',
      'audit-sink',
      path,
    );
    return body.items[0];
  }, 20_000);
  house.program.signal('SIGINT'); // hands over the spans that are not exported yet
  expect(await house.program.ended()).toBe(0);

  const archived = spans.find(
    (span) =>
      attribute(span, 'tidegate.service') === 'audit-sink' &&
      attribute(span, 'messaging.message.id') === record.manifest.id,
  );
  if (archived === undefined) throw new Error(`No span of ${JSON.stringify(record)}`);
  const way = origins(archived);
  expect(way.map((span) => [attribute(span, 'tidegate.service'), span.name])).toEqual([
    ['audit-sink', 'process flag.events'],
    ['flag-service', 'send flag.events'],
    ['flag-service', 'process flag.commands'],
    ['metrics-gatekeeper', 'send flag.commands'],
    ['metrics-gatekeeper', 'POST /v1/rollouts'],
  ]);
  expect(new Set(way.map(({ traceId }) => traceId)).size).toBe(1);
});
