import { describe, expect, it } from '@jest/globals';
import type { AppError } from '@tidegate/kernel';
import { eventually } from '@tidegate/kernel/testing';
import { flag, type FlagRecord } from '@tidegate/contracts';
import { type AnswerChange, type AnswerHandler, AnswerWatch } from './answer-watch.loop.ts';
import { TidegateClient } from './client.loop.ts';
import type { FlagSink } from './flag-source.port.ts';
import { memoryTidegate } from './testing/tidegate.memory.ts';

/** A number that changes, and who watches it: quick to try again, quick to give up. */
function watching(handler: AnswerHandler) {
  const errors: AppError[] = [];
  let value = 0;
  const watched = {
    key: 'limit',
    answer: () => ({ value, variant: 'set', reason: 'STATIC', flagMetadata: {} }) as const,
    version: () => value,
    failed: (error: AppError) => void errors.push(error),
  };
  const patience = { tries: 3, firstRetryMs: 2, longestRetryMs: 4 };
  const watch = new AnswerWatch(watched, handler, patience);
  const become = (next: number) => {
    value = next;
    watch.look();
  };
  return { watch, become, errors };
}
const steps = (changes: readonly AnswerChange[]) =>
  changes.map(({ before, after }) => [before.value, after.value]);

describe('a handler of changed answers', () => {
  it('gets each change once, in order, the next when it has ended with the one before', async () => {
    const seen: AnswerChange[] = [];
    let running = 0;
    const { become } = watching(async (change) => {
      running += 1;
      expect(running).toBe(1);
      await Promise.resolve();
      seen.push(change);
      running -= 1;
    });
    for (const value of [1, 2, 2, 3]) become(value);
    await eventually(() => seen.length === 3);
    expect(steps(seen)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(seen.map(({ key, version }) => [key, version])).toEqual([
      ['limit', 1],
      ['limit', 2],
      ['limit', 3],
    ]);
  });

  it('is tried again when it fails, and each failure is reported', async () => {
    let tries = 0;
    const { become, errors } = watching(() => {
      tries += 1;
      return tries < 3 ? Promise.reject(new Error('busy')) : undefined;
    });
    become(1);
    await eventually(() => tries === 3);
    expect(errors.map(({ code }) => code)).toEqual(['SDK_LISTENER_FAILED', 'SDK_LISTENER_FAILED']);
  });

  it('is spared a change that it has failed at too often, and gets the next', async () => {
    const seen: unknown[] = [];
    const { become, errors } = watching(({ before, after }) => {
      if (after.value === 1) throw new Error('never');
      seen.push([before.value, after.value]);
    });
    become(1);
    await eventually(() => errors.some(({ code }) => code === 'SDK_CHANGE_GIVEN_UP'));
    expect(errors.at(-1)?.message).toBe('A change of limit was not taken: it failed 3 times.');
    become(2);
    await eventually(() => seen.length === 1);
    expect(seen).toEqual([[0, 2]]);
  });

  it('does not wait for the next try when a newer change is there, which then covers both', async () => {
    const seen: AnswerChange[] = [];
    let become: (value: number) => void = () => undefined;
    const watch = watching((change) => {
      if (change.after.value === 1) {
        become(2);
        throw new Error('busy');
      }
      seen.push(change);
    });
    ({ become } = watch);
    become(1);
    await eventually(() => seen.length === 1);
    expect(steps(seen)).toEqual([[0, 2]]);
    expect(watch.errors.at(-1)?.message).toBe(
      'A change of limit was not taken: a newer one waits.',
    );
  });

  it('that never ends costs bounded memory, and the latest is not lost', async () => {
    const seen: AnswerChange[] = [];
    const held = Promise.withResolvers<void>();
    const { become } = watching(async (change) => {
      seen.push(change);
      await held.promise;
    });
    for (let value = 1; value <= 5_000; value += 1) become(value);
    held.resolve();
    await eventually(() => seen.at(-1)?.after.value === 5_000);
    expect(seen.length).toBe(1_001);
    expect(steps(seen).at(-1)).toEqual([1_000, 5_000]);
  });

  it('is not called any more once it is stopped, nor tried again', async () => {
    let calls = 0;
    const { become, watch, errors } = watching(() => {
      calls += 1;
      throw new Error('busy');
    });
    become(1);
    watch.stop();
    become(2);
    await eventually(() => calls === 1);
    expect(errors).toEqual([]);
  });
});

describe('onFlagChanged', () => {
  it('tells when the answer to one context differs, and only then', async () => {
    const flags = memoryTidegate({ limit: 5, name: 'x' });
    const seen: unknown[] = [];
    const stop = flags.onFlagChanged('limit', ({ key, before, after, version }) => {
      // The new answer is in place when it is told of.
      seen.push([key, before.value, after.value, flags.number('limit', 0), version]);
    });
    flags.set('limit', 5);
    flags.set('name', 'y');
    flags.set('limit', 6);
    await eventually(() => seen.length === 1);
    flags.remove('limit');
    await eventually(() => seen.length === 2);
    stop();
    flags.set('limit', 7);
    expect(seen).toEqual([
      ['limit', 5, 6, 6, 5],
      ['limit', 6, undefined, 0, 6],
    ]);
  });

  it('sees into objects, and takes the first flags for a change', async () => {
    const flags = memoryTidegate({ limits: { a: 1, b: 2 } });
    const seen: unknown[] = [];
    flags.onFlagChanged('limits', ({ after }) => void seen.push(after.value));
    flags.onFlagChanged(
      'later',
      ({ before, after }) => void seen.push([before.value, after.value]),
    );
    flags.set('limits', { b: 2, a: 1 });
    flags.set('limits', { a: 1, b: 3 });
    flags.set('later', true);
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([{ a: 1, b: 3 }, [undefined, true]]);
  });

  it('hears of a change of a segment, or of another flag, that the answer builds on', async () => {
    const opened: { sink?: FlagSink } = {};
    const client = new TidegateClient(
      60_000,
      () => undefined,
      (sink) => {
        opened.sink = sink;
        return { close: () => Promise.resolve() };
      },
    );
    const record = (key: string, version: number, more: object): FlagRecord => ({
      key,
      epoch: 1,
      version,
      flag: flag.parse({
        definition: {
          type: 'boolean',
          variants: { on: true, off: false },
          defaultVariant: 'off',
          offVariant: 'off',
          exposure: { variant: 'on', percentage: 0 },
          ...more,
        },
        salt: 'salt',
      }),
    });
    const beta = (version: number, members: string[]) => ({
      key: 'beta',
      epoch: 1,
      version,
      segment: { definition: { members, excluded: [], tags: [] } },
    });
    const rules = [{ when: { segment: 'beta' }, variant: 'on' }];
    const base = { exposure: { variant: 'on', percentage: 100_000 } };
    const prerequisites = [{ flag: 'base', variants: ['on'] }];
    opened.sink?.sync([
      beta(1, []),
      record('base', 1, base),
      record('checkout-v2', 1, { rules, prerequisites }),
    ]);
    const seen: unknown[] = [];
    const handler = ({ before, after, version }: AnswerChange) =>
      void seen.push([before.value, after.value, after.reason, version]);
    client.onFlagChanged('checkout-v2', handler, { targetingKey: 'ada' });
    client.onFlagChanged('checkout-v2', () => void seen.push('bob'), { targetingKey: 'bob' });
    opened.sink?.apply([beta(2, ['ada'])]);
    opened.sink?.apply([record('base', 2, {})]);
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([
      [false, true, 'TARGETING_MATCH', 1],
      [true, false, 'PREREQUISITE_FAILED', 1],
    ]);
    await client.close();
  });

  it('ends with the client', async () => {
    const flags = memoryTidegate({ on: false });
    let calls = 0;
    flags.onFlagChanged('on', () => void (calls += 1));
    await flags.close();
    flags.set('on', true);
    expect(calls).toBe(0);
  });
});
