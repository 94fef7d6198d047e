import { describe, expect, it } from '@jest/globals';
import { type OutgoingMessage, SignalReported } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { AppError } from '@tidegate/kernel';
import { eventually, manualClock, sequentialIds } from '@tidegate/kernel/testing';
import { type MetricsSource, type Reading, signalsTarget } from '@tidegate/metrics-source';
import { recordedSource } from '@tidegate/metrics-source/testing';
import { createExecute, createOutbox, type Documents, noFaults } from '@tidegate/store';
import { memoryStore } from '@tidegate/store/testing';
import type { Signal } from './signal.ts';
import { BEHIND_MS, behind, intakeCollection } from './intake.ts';
import { signalSource, withSignals } from './signal-source.handler.ts';
import { createSignals } from './signals.handler.ts';
import { signalCollection } from './signals.ts';

const TARGET = signalsTarget('production');

function house(hasten: (environment: string) => Promise<void> = async () => undefined) {
  const clock = manualClock(1_790_000_000_000);
  const published: OutgoingMessage[] = [];
  const publish = async (messages: readonly OutgoingMessage[]) => void published.push(...messages);
  const outbox = createOutbox({ publish, faults: noFaults });
  const parts = { outbox, ids: sequentialIds('m'), clock, source: 'gate', faults: noFaults };
  const store = memoryStore({ clock });
  const documents: Documents<Signal> = store.documents(signalCollection);
  const intake = store.documents(intakeCollection);
  const signals = createSignals({
    execute: createExecute(parts),
    documents,
    intake,
    clock,
    hasten,
  });
  let ids = 0;
  const report = (data: object = {}, metadata: object = {}) =>
    signals.count(
      exampleOf(
        SignalReported,
        { environment: 'production', signal: 'complaint', ...data },
        { id: `r-${(ids += 1)}`, source: 'shop', at: clock.now(), ...metadata },
      ),
    );
  const source = signalSource(signals);
  const read = async (metrics: string[], at = clock.now()): Promise<Reading> =>
    (await source.read([{ target: TARGET, metrics }], at))[0] as Reading;
  return { clock, documents, published, report, read, source, signals };
}

describe('a signal that is reported', () => {
  it('is counted once, however often it comes', async () => {
    const { report, read, published } = house();
    for (const _ of [1, 2, 3]) await report({ count: 2 }, { id: 'same' });
    await report({ count: 2 }, { id: 'same', source: 'another' });
    expect(await read(['complaint'])).toMatchObject({ samples: [{ value: 4 }] });
    expect(published.map(({ type }) => type)).toEqual(['SignalCounted', 'SignalCounted']);
  });

  it('has its environment looked at, also if that failed the first time', async () => {
    const asked: string[] = [];
    const { report, read } = house(async (environment) => {
      asked.push(environment);
      if (asked.length === 1) throw new AppError('STORE_UNREACHABLE', 'away', { retryable: true });
    });
    await expect(report({}, { id: 'same' })).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    await report({}, { id: 'same' });
    expect(asked).toEqual(['production', 'production']);
    expect(await read(['complaint'])).toMatchObject({ samples: [{ value: 1 }] });
  });

  it('has it looked at once for all that come meanwhile', async () => {
    let looks = 0;
    const waiting: (() => void)[] = [];
    const { report, published } = house(() => {
      looks += 1;
      return new Promise((resolve) => waiting.push(resolve));
    });
    const reported = Promise.all(Array.from({ length: 50 }, () => report()));
    await eventually(() => published.length === 50 && waiting.length === 1);
    waiting.pop()?.();
    await eventually(() => waiting.length === 1);
    waiting.pop()?.();
    await reported;
    expect(looks).toBe(2);
  });

  it('is refused if it is one more of too many', async () => {
    const { report, documents } = house();
    for (let count = 0; count < 200; count += 1)
      expect(await report({ signal: `s-${count}` })).toBeUndefined();
    expect(await report({ signal: 'one-more' })).toMatchObject({ code: 'SIGNAL_NAMES_TOO_MANY' });
    expect(await documents.load('production/one-more')).toBeUndefined();
    expect(await report({ signal: 's-7' })).toBeUndefined();
    expect(await report({ environment: 'test', signal: 'one-more' })).toBeUndefined();
  });
});

describe('signals, read as a source', () => {
  it('have a series for each set of labels, and none where nothing was reported', async () => {
    const { report, read, clock } = house();
    await report({ labels: { tier: 'a' } });
    await report({ labels: { tier: 'b' }, count: 3 });
    await report({ environment: 'test' });
    const at = clock.now();
    expect(await read(['complaint', 'data-loss'])).toEqual({
      outcome: 'taken',
      target: TARGET,
      at,
      declared: ['complaint', 'data-loss'],
      samples: [
        { name: 'complaint', labels: { tier: 'a' }, series: 'complaint{tier="a"}', value: 1, at },
        { name: 'complaint', labels: { tier: 'b' }, series: 'complaint{tier="b"}', value: 3, at },
      ],
    });
  });

  it('tell what had been reported by an instant that is past', async () => {
    const { report, read, clock } = house();
    await report({ labels: { tier: 'a' } });
    const then = clock.now();
    clock.advance(5_000);
    await report({ labels: { tier: 'a' }, count: 2 });
    await report({ labels: { tier: 'b' } });
    expect(await read(['complaint'], then)).toMatchObject({ at: then, samples: [{ value: 1 }] });
    expect(await read(['complaint'])).toMatchObject({ samples: [{ value: 3 }, { value: 1 }] });
  });

  it('say that the store is away, and fail where the program is wrong', async () => {
    const failing = (error: Error): MetricsSource =>
      signalSource({
        documents: {
          load: async () => {
            throw error;
          },
        },
        intake: { load: async () => undefined },
      });
    const ask = (source: MetricsSource) =>
      source.read([{ target: TARGET, metrics: ['complaint'] }], 1);
    expect(await ask(failing(new AppError('STORE_UNREACHABLE', 'no answer')))).toEqual([
      {
        outcome: 'failed',
        target: TARGET,
        at: 1,
        failure: 'unreachable',
        message: 'signals:production could not be read: no answer',
      },
    ]);
    await expect(ask(failing(new TypeError('wrong')))).rejects.toThrow('wrong');
  });

  it('lack what waits to be counted, as long as a replica says so', async () => {
    const { report, read, signals, clock } = house();
    await report();
    const waiting = (ageMs: number) => behind([{ records: 3, ageMs }]);
    expect([waiting(0), waiting(BEHIND_MS)]).toEqual([undefined, undefined]);
    await signals.behind(waiting(20_000) ?? '');
    await signals.behind(waiting(20_000) ?? '');
    expect(await read(['complaint'])).toMatchObject({
      samples: [{ value: 1 }],
      lacks: '3 messages on the topic signals are not counted yet, the oldest for 20s.',
    });
    clock.advance(BEHIND_MS);
    expect(await read(['complaint'])).not.toHaveProperty('lacks');
  });

  it('are read beside other targets, each in its place', async () => {
    const { report, source } = house();
    await report();
    const others = recordedSource();
    others.record('http://a/metrics', 0, 'a_total 1\n');
    const all = withSignals(others, source);
    const wanted = ['http://a/metrics', TARGET, 'http://gone/metrics'].map((target) => ({
      target,
      metrics: ['complaint'],
    }));
    const readings = await all.read(wanted, 1_790_000_000_000);
    expect(readings.map(({ target, outcome }) => [target, outcome])).toEqual([
      ['http://a/metrics', 'taken'],
      [TARGET, 'taken'],
      ['http://gone/metrics', 'failed'],
    ]);
    expect(await all.read([], 1)).toEqual([]);
  });
});
