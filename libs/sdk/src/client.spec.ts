import { describe, expect, it } from '@jest/globals';
import { flag, type FlagRecord } from '@tidegate/contracts';
import type { AppError } from '@tidegate/kernel';
import { TidegateClient } from './client.loop.ts';
import type { FlagSink } from './flag-source.port.ts';
import { memoryTidegate } from './testing/tidegate.memory.ts';

function connecting() {
  const opened: { sink?: FlagSink } = {};
  const errors: AppError[] = [];
  const client = new TidegateClient(
    60_000,
    (error) => errors.push(error),
    (sink) => {
      opened.sink = sink;
      return { close: () => Promise.resolve() };
    },
  );
  return { client, errors, sink: opened.sink as FlagSink };
}
const deleted = (version: number) => [{ key: 'express-pay', epoch: 1, version, flag: null }];
const record = (key: string, version: number): FlagRecord => ({
  key,
  epoch: 1,
  version,
  flag: flag.parse({
    definition: {
      type: 'boolean',
      variants: { on: true, off: false },
      defaultVariant: 'on',
      offVariant: 'off',
      exposure: { variant: 'on', percentage: 0 },
    },
    salt: 'salt',
  }),
});

describe('a client', () => {
  it('answers by type, and with the default what is of another type', () => {
    const flags = memoryTidegate({ on: true, name: 'x', limit: 0, limits: { a: 1 }, mode: 'warn' });
    expect(flags.boolean('on', false)).toBe(true);
    expect(flags.string('name', '')).toBe('x');
    expect(flags.number('limit', 7)).toBe(0);
    expect(flags.object('limits', {})).toEqual({ a: 1 });
    expect(flags.mode('mode', 'off')).toBe('warn');
    expect(flags.mode('name', 'enforce')).toBe('enforce');
    expect(flags.boolean('name', true)).toBe(true);
    expect(flags.details('name', true)).toMatchObject({ errorCode: 'TYPE_MISMATCH' });
    expect(flags.details('unknown', true)).toMatchObject({ errorCode: 'FLAG_NOT_FOUND' });
  });

  it('says that it is not ready until flags have come, and answers with defaults', () => {
    const { client, sink } = connecting();
    expect(client.status).toMatchObject({ state: 'connecting', ageMs: undefined });
    expect(client.details('on', true)).toMatchObject({
      value: true,
      errorCode: 'PROVIDER_NOT_READY',
    });
    sink.sync([]);
    expect(client.details('on', true)).toMatchObject({ errorCode: 'FLAG_NOT_FOUND' });
  });

  it.each([undefined, null, {}, 7, ''])('answers with the default when the key is %p', (key) => {
    const { client, sink } = connecting();
    sink.sync([]);
    expect(client.details(key as string, true)).toMatchObject({
      value: true,
      errorCode: 'FLAG_NOT_FOUND',
    });
    expect(sink.takeUse().unknown).toEqual([]);
  });

  it('counts a flag that is only watched as asked for once, each time that its use is told', () => {
    const { client, sink } = connecting();
    const stop = client.onFlagChanged('limit', () => undefined);
    sink.sync([record('limit', 1)]);
    const watched = { evaluations: { limit: { on: 1 } }, unknown: [] };
    expect([sink.takeUse(), sink.takeUse()]).toEqual([watched, watched]);
    stop();
    expect(sink.takeUse()).toEqual({ evaluations: {}, unknown: [] });
  });

  it('tells of each change once, with what was before, until nobody listens any more', () => {
    const { client, sink } = connecting();
    const seen: unknown[] = [];
    const stop = client.onChange('*', (change) => {
      seen.push([change.before?.version, change.after.version]);
    });
    const others: unknown[] = [];
    client.onChange('another', (change) => {
      others.push(change);
    });
    sink.sync(deleted(2));
    sink.apply(deleted(2));
    sink.apply(deleted(1));
    sink.apply(deleted(3));
    stop();
    sink.apply(deleted(4));
    expect(seen).toEqual([
      [undefined, 2],
      [2, 3],
    ]);
    expect(others).toEqual([]);
  });

  it('has the new status and the new value in place when it tells of them', () => {
    const flags = memoryTidegate({ on: false });
    const seen: boolean[] = [];
    flags.onChange('on', () => {
      seen.push(flags.boolean('on', false));
    });
    flags.set('on', true);
    flags.remove('on');
    expect(seen).toEqual([true, false]);
    const { client, sink } = connecting();
    const states: string[] = [];
    client.onChange('*', () => {
      states.push(client.status.state);
    });
    sink.sync(deleted(1));
    expect(states).toEqual(['ready']);
  });

  it('reports a listener that throws or rejects, and goes on to the next', async () => {
    const { client, errors, sink } = connecting();
    const seen: string[] = [];
    client.onChange('*', () => {
      throw new Error('thrown');
    });
    client.onChange('*', () => Promise.reject(new Error('rejected')));
    client.onChange('*', ({ key }) => {
      seen.push(key);
    });
    sink.sync(deleted(1));
    await Promise.resolve();
    expect(seen).toEqual(['express-pay']);
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['SDK_LISTENER_FAILED', 'A listener failed: thrown'],
      ['SDK_LISTENER_FAILED', 'A listener failed: rejected'],
    ]);
  });

  it('goes on answering once it is closed, and says that the answers may be old', async () => {
    const flags = memoryTidegate({ on: true });
    await flags.close();
    expect(flags.details('on', false)).toMatchObject({
      value: true,
      reason: 'STALE',
      flagMetadata: { version: 1, ageMs: expect.any(Number) },
    });
    expect(flags.details('unknown', false)).toMatchObject({ reason: 'ERROR' });
    await expect(connecting().client.close()).resolves.toBeUndefined();
  });

  it('does not become ready any more once it is closed', async () => {
    const { client, sink } = connecting();
    const waiting = client.ready();
    await client.close();
    sink.sync([]);
    await expect(waiting).rejects.toMatchObject({ code: 'SDK_NOT_READY' });
    expect(client.status.state).toBe('closed');
  });
});
