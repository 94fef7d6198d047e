import { expect } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { type Step, step } from './steps.ts';
import type { World } from './world.ts';

const typed = (type: string, value: string): string | number | boolean =>
  type.toLowerCase() === 'string' ? value : (JSON.parse(value) as number | boolean);

/** What Tidegate itself says of each answer: every flag has a revision, and a rule its place. */
const OWN = new Set(['epoch', 'version', 'rule']);

const metadataOf = ({ details }: World): Record<string, unknown> =>
  Object.fromEntries(Object.entries(details.flagMetadata).filter(([name]) => !OWN.has(name)));

export const evaluationSteps: readonly Step[] = [
  step('an? (stable|not ready|error|stale) provider', (world, [status = '']) =>
    world.register(status),
  ),
  step(
    'an? (\\w+)-flag with key … and a fallback value …',
    (world, [type = '', key = '', fallback = '']) => {
      world.flag = { type: type.toLowerCase(), key, fallback };
    },
  ),
  step(
    'a context containing a key …, with type … and with value …',
    (world, [key = '', type = '', value = '']) => {
      world.invocation[key] = typed(type, value);
    },
  ),
  step('a context containing a key … with null value', (world, [key = '']) => {
    world.invocation[key] = null;
  }),
  step('the flag was evaluated with details', (world) => world.evaluated()),
  step('the flag was evaluated with details asynchronously', (world) => {
    world.pending = world.evaluate();
  }),
  step('the evaluation should complete without blocking', async (world) => {
    expect(world.pending).toBeInstanceOf(Promise);
    await world.evaluated(world.pending);
  }),
  step('the resolved details value should be …', ({ flag, details }, [value = '']) => {
    expect(details.value).toEqual(flag.type === 'string' ? value : JSON.parse(value));
  }),
  step('the reason should be …', ({ details }, [reason]) => {
    expect(details.reason).toBe(reason);
  }),
  step('the error-code should be …', ({ details }, [code]) => {
    expect(details.errorCode).toBe(code);
  }),
  step('the flag key should be …', ({ details }, [key]) => {
    expect(details.flagKey).toBe(key);
  }),
  step('the variant should be …', ({ details }, [variant]) => {
    expect(details.variant).toBe(variant);
  }),
  step('the provider status should be …', async ({ client }, [status]) => {
    await eventually(() => client.providerStatus === status);
  }),
  step('the resolved metadata should contain', (world, _, [, ...rows]) => {
    const expected = rows.map(([name = '', type = '', value = '']) => [name, typed(type, value)]);
    expect(metadataOf(world)).toEqual(Object.fromEntries(expected));
  }),
  step('the resolved metadata is empty', (world) => {
    expect(metadataOf(world)).toEqual({});
  }),
  step('an evaluation context with modifiable data', ({ invocation }) => {
    invocation['list'] = ['a', { b: 1 }];
  }),
  step('the original evaluation context should remain unmodified', ({ invocation }) => {
    expect(invocation).toEqual({ list: ['a', { b: 1 }] });
  }),
  step('the evaluation details should be immutable', ({ details }) => {
    expect(Object.isFrozen(details.flagMetadata)).toBe(true);
  }),
];
