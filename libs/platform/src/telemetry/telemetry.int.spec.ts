import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { PutEnvironment } from '@tidegate/contracts';
import { newMessage } from '../http/command.ts';
import { startTestService } from '../test-service.nest.ts';
import { tinyService } from '../tiny-service.nest.ts';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { key: string; value: { stringValue?: string } }[];
}

const serviceOf = ({ attributes }: Span): string | undefined =>
  attributes.find(({ key }) => key === 'tidegate.service')?.value.stringValue;

const exported: { service: string | undefined; spans: Span[] }[] = [];
const collector = createServer((request, response) => {
  void text(request).then((body) => {
    const { resourceSpans } = JSON.parse(body) as {
      resourceSpans: {
        resource: { attributes: { key: string; value: { stringValue: string } }[] };
        scopeSpans: { spans: Span[] }[];
      }[];
    };
    for (const { resource, scopeSpans } of resourceSpans)
      exported.push({
        service: resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue,
        spans: scopeSpans.flatMap(({ spans }) => spans),
      });
    response.end('{}');
  });
});

beforeEach(() => new Promise<void>((resolve) => void collector.listen(0, '127.0.0.1', resolve)));
afterEach(() => new Promise((resolve) => void collector.close(resolve)));

it('exports one trace from the request that comes in to the work that a message causes', async () => {
  const { port } = collector.address() as AddressInfo;
  const service = await startTestService(tinyService(), {
    env: {
      ENABLE_TELEMETRY: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/`,
      SERVICE_NAME: 'tiny-in-test',
    },
  });
  const given = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${given}-00f067aa0ba902b7-01`;
  const changed = await service.put('/v1/environments/test', { description: 'a' }, { traceparent });
  expect(changed.status).toBe(200);
  const event = service.published('flag.events')[0];
  expect(event?.metadata.traceparent).toContain(given);
  if (event === undefined) throw new Error('nothing was published');
  const next = newMessage(service.context, PutEnvironment, { environment: 'other' }, event);
  const { traceparent: carried = '' } = event.metadata;
  await service.context.bus.publish([
    { ...next, metadata: { ...next.metadata, traceparent: carried } },
  ]);
  await service.idle();
  await service.stop();

  const spans = exported.flatMap((each) => each.spans);
  expect(new Set(exported.map((each) => each.service))).toEqual(new Set(['tiny-in-test']));
  const ours = spans.filter(({ traceId }) => traceId === given);
  const parentOf = (name: string) => {
    const parent = ours.find((each) => each.name === name)?.parentSpanId;
    return ours.find(({ spanId }) => spanId === parent)?.name ?? parent;
  };
  expect(ours.map(({ name }) => [name, parentOf(name)])).toEqual(
    expect.arrayContaining([
      ['PUT /v1/environments/:env', '00f067aa0ba902b7'],
      ['send flag.events', 'PUT /v1/environments/:env'],
      ['send flag.commands', 'send flag.events'],
      ['process flag.commands', 'send flag.commands'],
    ]),
  );
  expect(new Set(ours.map(serviceOf))).toEqual(new Set(['tiny-service']));
});
