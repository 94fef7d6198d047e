import { describe, expect, it } from '@jest/globals';
import type { Details, EvaluationContext } from '@tidegate/evaluation';
import { currentContext, runWithContext } from './context/current-context.ts';
import type { Observer } from './observer.port.ts';
import { memoryTidegate } from './testing/tidegate.memory.ts';
import { withHooks } from './with-hooks.ts';

/** Answers with who asked. */
const whoAsks = () =>
  memoryTidegate({ who: (context) => JSON.parse(JSON.stringify(context)) as object });
const asked = (context: EvaluationContext | undefined, inCall?: EvaluationContext) =>
  withHooks(whoAsks(), { contextOf: () => context }).object('who', {}, inCall);

describe('a context around the call', () => {
  it('is used where the call gives none, and yields to it attribute by attribute', () => {
    expect(asked({ targetingKey: 'ann', plan: 'pro' })).toEqual({
      targetingKey: 'ann',
      plan: 'pro',
    });
    expect(asked({ targetingKey: 'ann', plan: 'pro' }, { plan: 'free' })).toEqual({
      targetingKey: 'ann',
      plan: 'free',
    });
    expect(asked(undefined, { plan: 'free' })).toEqual({ plan: 'free' });
    expect(asked({ targetingKey: 'ann' }, { targetingKey: undefined })).toEqual({});
  });

  it('follows what is awaited, and an inner one lies over the outer', async () => {
    const flags = withHooks(whoAsks(), { contextOf: currentContext });
    const seen = await runWithContext({ targetingKey: 'ann', plan: 'pro' }, async () => {
      await Promise.resolve();
      const inner = await runWithContext({ plan: 'free' }, async () => {
        await new Promise(setImmediate);
        return flags.object('who', {});
      });
      return [inner, flags.object('who', {})];
    });
    expect(seen).toEqual([
      { targetingKey: 'ann', plan: 'free' },
      { targetingKey: 'ann', plan: 'pro' },
    ]);
    expect(flags.object('who', {})).toEqual({});
  });

  it('that cannot be had is reported, and the call is answered without it', () => {
    const errors: string[] = [];
    const flags = withHooks(
      whoAsks(),
      {
        contextOf: () => {
          throw new Error('no user');
        },
      },
      ({ code, message }) => errors.push(`${code} ${message}`),
    );
    expect(flags.object('who', {}, { plan: 'pro' })).toEqual({ plan: 'pro' });
    expect(errors).toEqual(['SDK_LISTENER_FAILED contextOf failed: no user']);
  });
});

describe('observers', () => {
  it('are told of the client once, and of every answer with the context it was given for', () => {
    const heard: unknown[] = [];
    const observer: Observer = {
      attached: (flags) => heard.push(flags.status.state),
      evaluated: (key, { value, reason }: Details, context) =>
        heard.push([key, value, reason, context?.targetingKey]),
    };
    const flags = withHooks(memoryTidegate({ on: true, rules: 'warn' }), {
      observers: [observer, {}],
      contextOf: () => ({ targetingKey: 'ann' }),
    });
    expect(flags.boolean('on', false)).toBe(true);
    expect(flags.mode('rules', 'off', { targetingKey: 'bob' })).toBe('warn');
    expect(flags.number('unknown', 7)).toBe(7);
    expect(heard).toEqual([
      'ready',
      ['on', true, 'STATIC', 'ann'],
      ['rules', 'warn', 'STATIC', 'bob'],
      ['unknown', 7, 'ERROR', 'ann'],
    ]);
  });

  it('that fail are reported and cost nobody an answer', () => {
    const errors: string[] = [];
    const failing = (): never => {
      throw new Error('full');
    };
    const flags = withHooks(
      memoryTidegate({ on: true }),
      { observers: [{ attached: failing, evaluated: failing }] },
      ({ message }) => errors.push(message),
    );
    expect(flags.boolean('on', false)).toBe(true);
    expect(errors).toEqual(['An observer failed: full', 'An observer failed: full']);
  });
});

it('is the client itself without hooks, and the same client with them', async () => {
  const flags = memoryTidegate({ on: true });
  expect(withHooks(flags, {})).toBe(flags);
  const hooked = withHooks(flags, { observers: [{}] });
  const changes: string[] = [];
  const stop = hooked.onChange('on', ({ key }) => void changes.push(key));
  hooked.onStatus(({ state }) => void changes.push(state));
  flags.set('on', false);
  stop();
  flags.set('on', true);
  await hooked.ready();
  await hooked.close();
  expect(changes).toEqual(['on', 'closed']);
  expect(hooked.status).toMatchObject({ state: 'closed', digest: flags.status.digest });
});
