import { afterEach, describe, expect, it } from '@jest/globals';
import { OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { TidegateClient } from './client.loop.ts';
import type { FlagSink } from './flag-source.port.ts';
import { TidegateProvider } from './provider.openfeature.ts';
import { memoryTidegate } from './tidegate.memory.ts';

afterEach(() => OpenFeature.close());

async function openFeature(flags = memoryTidegate({ on: true, name: 'x', n: 1, o: { a: 1 } })) {
  await OpenFeature.setProviderAndWait(new TidegateProvider(flags));
  return { client: OpenFeature.getClient(), flags };
}

describe('the OpenFeature provider', () => {
  it('answers every type, with variant, reason and revision', async () => {
    const { client } = await openFeature();
    expect(await client.getStringValue('name', '')).toBe('x');
    expect(await client.getNumberValue('n', 0)).toBe(1);
    expect(await client.getObjectValue('o', {})).toEqual({ a: 1 });
    expect(await client.getBooleanDetails('on', false, { targetingKey: 'ann' })).toMatchObject({
      value: true,
      variant: 'set',
      reason: 'STATIC',
      flagMetadata: { epoch: 1, version: 1 },
    });
  });

  it("passes errors on by OpenFeature's codes, with the default", async () => {
    const { client } = await openFeature();
    expect(await client.getBooleanDetails('unknown', true)).toMatchObject({
      value: true,
      reason: 'ERROR',
      errorCode: 'FLAG_NOT_FOUND',
    });
    expect(await client.getBooleanDetails('name', true)).toMatchObject({
      errorCode: 'TYPE_MISMATCH',
    });
  });

  it('tells which flags have changed, those of one moment together', async () => {
    const { client, flags } = await openFeature();
    const changed = new Promise((resolve) => {
      client.addHandler(ProviderEvents.ConfigurationChanged, (event) => {
        resolve(event?.flagsChanged);
      });
    });
    flags.set('on', false);
    flags.set('name', 'y');
    expect(await changed).toEqual(['on', 'name']);
    expect(await client.getBooleanValue('on', true)).toBe(false);
  });

  it('tells of stale and of ready again', async () => {
    const opened: { sink?: FlagSink } = {};
    const tidegate = new TidegateClient(
      20,
      () => undefined,
      (sink) => {
        opened.sink = sink;
        sink.sync([]);
        return { close: () => Promise.resolve() };
      },
    );
    await OpenFeature.setProviderAndWait(new TidegateProvider(tidegate));
    const client = OpenFeature.getClient();
    await new Promise<void>((resolve) => {
      client.addHandler(ProviderEvents.Stale, () => {
        resolve();
      });
    });
    expect(client.providerStatus).toBe('STALE');
    opened.sink?.sync([]);
    expect(client.providerStatus).toBe('READY');
    await tidegate.close();
  });

  it('leaves a client that it was given open, and closes the one that it made', async () => {
    const { flags } = await openFeature();
    await OpenFeature.close();
    expect(flags.status.state).toBe('ready');
    const own = new TidegateProvider({
      url: 'http://127.0.0.1:9',
      environment: 'production',
      key: 'k',
      onError: () => undefined,
    });
    await own.onClose();
    expect(await own.resolveBooleanEvaluation('on', true, {})).toMatchObject({
      value: true,
      errorCode: 'PROVIDER_NOT_READY',
    });
  });
});
