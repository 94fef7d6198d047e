import { describe, expect, it } from '@jest/globals';
import { importFlagd, compile } from '@tidegate/evaluation';
import { recordOf } from './both.ts';

/**
 * Known answers of flagd's `fractional` of version 2. Keys and answers: open-feature/flagd-testbed v3.9.0 (82ba89e),
 * evaluator/gherkin/fractional.feature. The first column of the first table is the hash that each key was searched for.
 */
const variantFor = (
  key: string,
  variants: readonly string[],
  fractional: readonly unknown[],
  context: Record<string, unknown>,
) => {
  const flag = {
    state: 'ENABLED',
    variants: Object.fromEntries(variants.map((each) => [each, each])),
    defaultVariant: variants.at(-1),
    targeting: { fractional },
  };
  const { flags, problems } = importFlagd({ flags: { [key]: flag } });
  expect(problems).toEqual([]);
  return compile(flags.map(recordOf)).evaluate(key, 'fallback', context).variant;
};

describe('the buckets of flagd', () => {
  it.each([
    [0, 'ejOoVL', 'lower'],
    [1, 'bY9fO-', 'lower'],
    [0x7fff_ffff, 'SI7p-', 'lower'],
    [0x8000_0000, '6LvT0', 'upper'],
    [0xffff_ffff, 'ceQdGm', 'upper'],
  ])('at the edge %i', (_hash, targetingKey, variant) => {
    const shares = [{ var: 'targetingKey' }, ['lower', 50], ['upper', 50]];
    expect(variantFor('edges', ['lower', 'upper'], shares, { targetingKey })).toBe(variant);
  });

  const SUITS = ['clubs', 'diamonds', 'hearts', 'spades'];
  const quarters = (...cat: unknown[]) => [{ cat }, ...SUITS.map((suit) => [suit, 25])];

  it.each([
    ['jack', 'hearts'],
    ['queen', 'spades'],
    ['ten', 'clubs'],
    ['nine', 'diamonds'],
    [3, 'clubs'],
  ])('of the key of the flag and the name %p', (name, suit) => {
    const by = quarters({ var: '$flagd.flagKey' }, { var: 'user.name' });
    const context = { user: { name } };
    expect(variantFor('fractional-flag', [...SUITS, 'wild'], by, context)).toBe(suit);
  });

  it.each([
    ['seven', 'hearts'],
    ['eight', 'diamonds'],
    ['nine', 'clubs'],
    ['two', 'spades'],
  ])('of a shared seed and the name %p', (name, suit) => {
    const by = quarters('shared-seed', { var: 'user.name' });
    const context = { user: { name } };
    for (const key of ['one', 'another'])
      expect(variantFor(key, [...SUITS, 'wild'], by, context)).toBe(suit);
  });

  it.each([
    ['jon@company.com', 'heads'],
    ['jane@company.com', 'tails'],
  ])('of the key of the flag and the targeting key %p, in short', (targetingKey, side) => {
    const shares = [['heads'], ['tails', 1]];
    const sides = ['heads', 'tails', 'draw'];
    expect(variantFor('fractional-flag-shorthand', sides, shares, { targetingKey })).toBe(side);
  });
});
