import { afterEach, describe, expect, it } from '@jest/globals';
import { flag, type FlagRecord } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { OpenFeature, ProviderEvents, ProviderStatus } from '@openfeature/server-sdk';
import { TidegateClient } from '../client.loop.ts';
import type { FlagSink } from '../flag-source.port.ts';
import { currentContext, runWithContext } from '../context/current-context.ts';
import { TidegateProvider } from './provider.openfeature.ts';
import { memoryTidegate } from '../testing/tidegate.memory.ts';
import { withHooks } from '../with-hooks.ts';

afterEach(() => OpenFeature.close());

async function openFeature(flags = memoryTidegate({ on: true, name: 'x', n: 1, o: { a: 1 } })) {
  await OpenFeature.setProviderAndWait(new TidegateProvider(flags));
  return { client: OpenFeature.getClient(), flags };
}

/** On for the members of the segment `beta`. */
const forBeta = (key: string): FlagRecord => ({
  key,
  epoch: 1,
  version: 1,
  flag: flag.parse({
    definition: {
      type: 'boolean',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      offVariant: 'off',
      exposure: { variant: 'on', percentage: 0 },
      rules: [{ when: { segment: 'beta' }, variant: 'on' }],
    },
    salt: 'spec',
  }),
});

class Impatient extends TidegateClient {
  override ready(): Promise<void> {
    return super.ready(1);
  }
}

/** A client that nothing is heard of any more. */
async function cutOff(staleAfterMs: number) {
  const opened: { sink?: FlagSink } = {};
  const tidegate = new TidegateClient(
    staleAfterMs,
    () => undefined,
    (sink) => {
      opened.sink = sink;
      return { close: () => Promise.resolve() };
    },
  );
  const sink = opened.sink!;
  const memory = memoryTidegate();
  const records: FlagRecord[] = [];
  memory.onChange('on', ({ after }) => void records.push(after));
  memory.set('on', true);
  sink.sync(records);
  return { tidegate, sink };
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

  it('tells that a flag has changed when the segment has that it builds on', async () => {
    const { tidegate, sink } = await cutOff(60_000);
    const beta = (version: number, members: string[]) => ({
      key: 'beta',
      epoch: 1,
      version,
      segment: { definition: { members, excluded: [], tags: [] } },
    });
    sink.apply([beta(1, []), forBeta('new')]);
    await OpenFeature.setProviderAndWait(new TidegateProvider(tidegate));
    const client = OpenFeature.getClient();
    const changed = new Promise((resolve) => {
      client.addHandler(ProviderEvents.ConfigurationChanged, (event) => {
        resolve(event?.flagsChanged);
      });
    });
    sink.apply([beta(2, ['ann'])]);
    expect(await changed).toEqual(['new']);
    expect(await client.getBooleanValue('new', false, { targetingKey: 'ann' })).toBe(true);
    await tidegate.close();
  });

  it('says STALE, READY and ERROR, and is that already when handlers hear of it', async () => {
    const { tidegate, sink } = await cutOff(200);
    await OpenFeature.setProviderAndWait(new TidegateProvider(tidegate));
    const client = OpenFeature.getClient();
    const heard: string[] = [];
    for (const event of [ProviderEvents.Stale, ProviderEvents.Ready, ProviderEvents.Error] as const)
      client.addHandler(event, () => void heard.push(`${event} ${client.providerStatus}`));
    await eventually(() => heard.length === 2);
    sink.sync([]);
    await tidegate.close();
    expect(heard).toEqual([
      'PROVIDER_READY READY', // a handler that comes late hears of what is
      'PROVIDER_STALE STALE',
      'PROVIDER_READY READY',
      'PROVIDER_ERROR ERROR',
    ]);
    expect(await client.getBooleanDetails('on', false)).toMatchObject({
      value: true,
      reason: 'STALE',
    });
  });

  it('begins STALE with a client that is cut off already', async () => {
    const { tidegate } = await cutOff(1);
    await eventually(() => tidegate.status.state === 'stale');
    await OpenFeature.setProviderAndWait(new TidegateProvider(tidegate));
    const client = OpenFeature.getClient();
    await eventually(() => client.providerStatus === ProviderStatus.STALE);
    await tidegate.close();
  });

  it('is in ERROR while no flags come, and READY once they do', async () => {
    const opened: { sink?: FlagSink } = {};
    const impatient = new Impatient(
      60_000,
      () => undefined,
      (sink) => {
        opened.sink = sink;
        return { close: () => Promise.resolve() };
      },
    );
    const failed = OpenFeature.setProviderAndWait(new TidegateProvider(impatient));
    await expect(failed).rejects.toThrow('No flags came within 1 ms.');
    const client = OpenFeature.getClient();
    expect(client.providerStatus).toBe('ERROR');
    expect(await client.getBooleanDetails('on', true)).toMatchObject({
      value: true,
      errorCode: 'PROVIDER_NOT_READY',
    });
    opened.sink?.sync([]);
    expect(client.providerStatus).toBe('READY');
    await impatient.close();
  });

  it('gives hooks the answer, takes tracking, and names the set of flags', async () => {
    const flags = memoryTidegate({ on: true });
    await OpenFeature.setProviderAndWait(new TidegateProvider(flags, { flagSetId: 'production' }));
    const client = OpenFeature.getClient();
    const heard: unknown[] = [];
    client.addHooks({
      finally: ({ flagKey, context }, { variant, flagMetadata }) =>
        void heard.push([flagKey, context.targetingKey, variant, flagMetadata]),
    });
    await client.getBooleanValue('on', false, { targetingKey: 'ann' });
    client.track('paid', { targetingKey: 'ann' }, { value: 12 });
    expect(heard).toEqual([
      ['on', 'ann', 'set', { epoch: 1, version: 1, flagSetId: 'production' }],
    ]);
    // The synchronous client beside it is the same one.
    expect(flags.boolean('on', false)).toBe(true);
  });

  it('answers with the context around the call where the client has one', async () => {
    const flags = memoryTidegate({ who: ({ targetingKey }) => targetingKey ?? 'nobody' });
    const hooked = withHooks(flags, { contextOf: currentContext });
    await OpenFeature.setProviderAndWait(new TidegateProvider(hooked));
    const client = OpenFeature.getClient();
    const who = () => client.getStringValue('who', '');
    expect(await runWithContext({ targetingKey: 'ann' }, who)).toBe('ann');
    expect(await who()).toBe('nobody');
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
