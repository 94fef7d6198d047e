import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { OpenFeature } from '@openfeature/server-sdk';
import { trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { TidegateProvider } from '../openfeature/provider.openfeature.ts';
import { memoryTidegate } from '../testing/tidegate.memory.ts';
import { withHooks } from '../with-hooks.ts';
import { spanEvents, spanEventsHook, type SpanEventsOptions } from './span-events.ts';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();
afterAll(async () => {
  await OpenFeature.close();
  await provider.shutdown();
  trace.disable();
});
beforeEach(() => {
  exporter.reset();
});

/** The events of a span around `run`. */
async function eventsOf(run: () => unknown): Promise<unknown[]> {
  await trace.getTracer('spec').startActiveSpan('request', async (span) => {
    await run();
    span.end();
  });
  return exporter
    .getFinishedSpans()
    .flatMap(({ events }) => events.map(({ name, attributes }) => [name, attributes]));
}
const flags = memoryTidegate({ on: true });
const traced = (options?: SpanEventsOptions) =>
  withHooks(flags, { observers: [spanEvents(options)] });

describe('events on the active span', () => {
  it('name flag, variant, reason, revision, who asked and which set', async () => {
    const events = await eventsOf(() =>
      traced({ flagSetId: 'production' }).boolean('on', false, { targetingKey: 'ann' }),
    );
    expect(events).toEqual([
      [
        'feature_flag.evaluation',
        {
          'feature_flag.key': 'on',
          'feature_flag.provider.name': 'tidegate',
          'feature_flag.set.id': 'production',
          'feature_flag.context.id': 'ann',
          'feature_flag.result.variant': 'set',
          'feature_flag.result.reason': 'static',
          'feature_flag.version': '1.1',
        },
      ],
    ]);
  });

  it('of an error have its type, its sentence and the value that was served', async () => {
    const events = await eventsOf(() =>
      traced({ contextId: false }).number('unknown', 7, { targetingKey: 'ann' }),
    );
    expect(events).toEqual([
      [
        'feature_flag.evaluation',
        {
          'feature_flag.key': 'unknown',
          'feature_flag.provider.name': 'tidegate',
          'feature_flag.result.value': 7,
          'feature_flag.result.reason': 'error',
          'feature_flag.error.message': 'There is no flag unknown.',
          'error.type': 'flag_not_found',
        },
      ],
    ]);
  });

  it('are the same through the hook of OpenFeature', async () => {
    await OpenFeature.setProviderAndWait(new TidegateProvider(flags, { flagSetId: 'production' }));
    const client = OpenFeature.getClient().addHooks(spanEventsHook());
    const asked = { targetingKey: 'ann' };
    const [throughHook] = await eventsOf(() => client.getBooleanValue('on', false, asked));
    exporter.reset();
    const [ofClient] = await eventsOf(() =>
      traced({ flagSetId: 'production' }).boolean('on', false, asked),
    );
    expect(throughHook).toEqual(ofClient);
    exporter.reset();
    const [, error] = (await eventsOf(() => client.getNumberValue('on', 7))) as unknown[][];
    expect(error).toBeUndefined();
  });

  it('are not made where there is no span', () => {
    expect(traced().boolean('on', false)).toBe(true);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
