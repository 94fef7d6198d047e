import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '@tidegate/kernel';
import { type Flag, flag, type FlagRecord } from '@tidegate/contracts';
import fc from 'fast-check';
import { compile } from './evaluator.ts';

type Definition = Partial<Flag['definition']>;
const record = (definition: Definition = {}, rest: Partial<Flag> = {}): FlagRecord => ({
  key: 'checkout-v2',
  epoch: 1,
  version: 4,
  flag: flag.parse({
    definition: {
      type: 'boolean',
      variants: { on: true, off: false, dark: false },
      defaultVariant: 'off',
      offVariant: 'dark',
      exposure: { variant: 'on', percentage: 0 },
      ...definition,
    },
    salt: 'salt',
    ...rest,
  }),
});
const open = (percentage: number, rest: Definition = {}, salt = 'salt') =>
  record({ exposure: { variant: 'on', percentage: percentage as never }, ...rest }, { salt });
const ask = (state: FlagRecord, targetingKey?: string) =>
  compile([state]).evaluate('checkout-v2', false, { targetingKey });
const servesOn = (state: FlagRecord, key: string) => ask(state, key).variant === 'on';

const keys = fc.string({ unit: 'binary', minLength: 1 });
const percentages = fc.integer({ min: 0, max: 100_000 });

describe('the order of answers', () => {
  const disabled = { disabled: { reason: 'checkout is down', at: 0, by: 'alex' } };
  const lists = { allowedUsers: ['ann', 'both'], deniedUsers: ['dan', 'both'] };

  it('serves the off variant of a disabled flag to everyone, listed or not', () => {
    const state = record(
      { ...lists, exposure: { variant: 'on', percentage: 100_000 as never } },
      disabled,
    );
    for (const key of ['ann', 'dan', 'eve', undefined])
      expect(ask(state, key)).toMatchObject({ value: false, variant: 'dark', reason: 'DISABLED' });
  });

  it('lets deny go before allow, and both before the exposure', () => {
    for (const percentage of [0, 50_000, 100_000]) {
      const state = open(percentage, lists);
      expect(ask(state, 'dan')).toMatchObject({ variant: 'off', reason: 'TARGETING_MATCH' });
      expect(ask(state, 'both')).toMatchObject({ variant: 'off', reason: 'TARGETING_MATCH' });
      expect(ask(state, 'ann')).toMatchObject({ variant: 'on', reason: 'TARGETING_MATCH' });
    }
  });

  it('serves the exposed variant at 100 % and the default at 0 %, with or without a targeting key', () => {
    for (const key of ['eve', undefined]) {
      expect(ask(open(100_000), key)).toMatchObject({ variant: 'on', reason: 'STATIC' });
      expect(ask(open(0), key)).toMatchObject({ variant: 'off', reason: 'STATIC' });
      expect(ask(open(100_000, lists), key)).toMatchObject({ variant: 'on', reason: 'SPLIT' });
      expect(ask(open(0, lists), key)).toMatchObject({ variant: 'off', reason: 'DEFAULT' });
    }
  });

  it('names the split between 0 and 100 %, on both sides of it', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 99_999 }), (key, percentage) => {
        expect(ask(open(percentage), key).reason).toBe('SPLIT');
      }),
    );
  });

  it('tells revision, rollout and step', () => {
    const held = record(
      {},
      { hold: { rollout: { id: 'r-42', generation: 1 }, since: 0, step: 'canary' } },
    );
    expect(ask(held, 'eve').flagMetadata).toEqual({
      epoch: 1,
      version: 4,
      rollout: 'r-42',
      step: 'canary',
    });
    expect(ask(record(), 'eve').flagMetadata).toEqual({ epoch: 1, version: 4 });
  });
});

describe('what cannot be answered', () => {
  it.each([
    ['an unknown flag', 'FLAG_NOT_FOUND', () => compile([]).evaluate('checkout-v2', true, {})],
    [
      'a deleted flag',
      'FLAG_NOT_FOUND',
      () => compile([{ ...record(), flag: null }]).evaluate('checkout-v2', true, {}),
    ],
    [
      'a partial exposure without a targeting key',
      'TARGETING_KEY_MISSING',
      () => compile([open(50_000)]).evaluate('checkout-v2', true),
    ],
    [
      'a partial exposure with an empty targeting key',
      'TARGETING_KEY_MISSING',
      () => compile([open(50_000)]).evaluate('checkout-v2', true, { targetingKey: '' }),
    ],
    [
      'a targeting key that is no string',
      'TARGETING_KEY_MISSING',
      () => compile([open(50_000)]).evaluate('checkout-v2', true, { targetingKey: 7 as never }),
    ],
    [
      'a flag that names a variant it does not have',
      'PARSE_ERROR',
      () => {
        const state = record();
        const broken = {
          ...state,
          flag: {
            ...state.flag,
            salt: 's',
            definition: { ...record().flag!.definition, offVariant: 'valueOf' },
          },
        };
        return compile([broken as FlagRecord]).evaluate('checkout-v2', true, {});
      },
    ],
    [
      'a context that throws',
      'GENERAL',
      () =>
        compile([open(50_000)]).evaluate('checkout-v2', true, {
          get targetingKey(): string {
            throw new Error('no such user');
          },
        }),
    ],
  ])('answers %s with the default and %s', (_what, errorCode, evaluate) => {
    expect(evaluate()).toMatchObject({ value: true, reason: 'ERROR', errorCode });
  });

  it.each([
    ['boolean', 'no'],
    ['string', 0],
    ['number', '0'],
    ['object', 'x'],
    ['mode', true],
  ] as const)('answers a %s flag asked with %p with TYPE_MISMATCH', (type, defaultValue) => {
    const value = { boolean: true, string: 's', number: 1, object: {}, mode: 'warn' }[type];
    const state = record({ type, variants: { on: value, off: value, dark: value } });
    expect(compile([state]).evaluate('checkout-v2', defaultValue)).toMatchObject({
      value: defaultValue,
      errorCode: 'TYPE_MISMATCH',
      flagMetadata: { version: 4 },
    });
  });

  it.each([
    ['number', 0, 1],
    ['string', '', 'x'],
    ['object', [], {}],
    ['boolean', false, true],
  ] as const)('takes a falsy or empty %s for a value', (type, value, defaultValue) => {
    const state = record({ type, variants: { on: value, off: value, dark: value } as never });
    const details = compile([state]).evaluate<unknown>('checkout-v2', defaultValue);
    expect(details).toMatchObject({ value, variant: 'off' });
    expect(compile([state]).evaluate('checkout-v2', undefined)).toMatchObject({ value });
  });

  it('gives nobody a value that the next caller could find changed', () => {
    const state = record({
      type: 'object',
      variants: { on: {}, off: { limits: [1, 2] }, dark: {} },
    });
    const { value } = compile([state]).evaluate('checkout-v2', { limits: [0] });
    expect(() => value.limits.push(3)).toThrow(TypeError);
    expect(state.flag?.definition.variants['off']).toEqual({ limits: [1, 2] });
  });
});

describe('buckets', () => {
  it('never take a unit out when the percentage grows', () => {
    fc.assert(
      fc.property(keys, percentages, percentages, (key, p, q) => {
        const [less, more] = p < q ? [p, q] : [q, p];
        return !servesOn(open(less), key) || servesOn(open(more), key);
      }),
    );
  });

  it('do not move anyone by an edit, a copy or another order of fields', () => {
    const reversed = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, inner]) => [key, reversed(inner)]),
          )
        : value;
    fc.assert(
      fc.property(keys, percentages, fc.string(), (key, percentage, description) => {
        const state = open(percentage);
        const edited = open(percentage, { description, tags: ['edited'] });
        const copied = reversed(JSON.parse(canonicalJson(state))) as FlagRecord;
        const before = servesOn(state, key);
        expect(servesOn({ ...edited, version: 5 }, key)).toBe(before);
        expect(servesOn(copied, key)).toBe(before);
      }),
    );
  });

  it('of two salts are independent: a quarter of the keys is in the lower half of both', () => {
    const N = 20_000;
    const [a, b] = [open(50_000, {}, 'first'), open(50_000, {}, 'second')].map((s) => compile([s]));
    let both = 0;
    for (let i = 0; i < N; i += 1) {
      const context = { targetingKey: `user-${i}` };
      const inBoth = [a, b].every((e) => e?.evaluate('checkout-v2', false, context).value);
      if (inBoth) both += 1;
    }
    // Binomial(N, 1/4): five standard deviations.
    expect(Math.abs(both - N / 4)).toBeLessThan(5 * Math.sqrt((N * 3) / 16));
  });

  it.each([1, 2, 3])('do not tell from who is covered what they are served (salt %i)', (seed) => {
    const N = 40_000;
    const weights = [25, 25, 50].map((weight, i) => ({
      variant: ['on', 'off', 'dark'][i]!,
      weight,
    }));
    const evaluator = compile([
      open(
        10_000,
        { exposure: { variant: 'on', percentage: 10_000 as never, split: weights } },
        `s${seed}`,
      ),
    ]);
    const counts: Record<string, number> = {};
    let covered = 0;
    for (let i = 0; i < N; i += 1) {
      const { variant = '' } = evaluator.evaluate('checkout-v2', false, {
        targetingKey: `user-${i}`,
      });
      counts[variant] = (counts[variant] ?? 0) + 1;
      if (variant !== 'off') covered += 1;
    }
    // 'off' is also what the others are served: of those covered a third is 'on', two thirds 'dark'.
    const expected = { on: covered / 3, dark: (covered * 2) / 3 };
    const chiSquare = Object.entries(expected).reduce(
      (sum, [variant, n]) => sum + ((counts[variant] ?? 0) - n) ** 2 / n,
      0,
    );
    // One degree of freedom: above 10.83 with probability 0.001.
    expect(chiSquare).toBeLessThan(10.83);
    // Binomial(N, 7.5 %): five standard deviations.
    expect(Math.abs(covered - N * 0.075)).toBeLessThan(5 * Math.sqrt(N * 0.075 * 0.925));
  });

  it.each(['user-', 'käufer-', '顧客-', '🛒'])('fill evenly for keys like %s1', (prefix) => {
    const BINS = 100;
    const N = 50_000;
    const evaluators = Array.from({ length: BINS - 1 }, (_, i) => compile([open((i + 1) * 1_000)]));
    const counts = Array.from({ length: BINS }, () => 0);
    for (let i = 0; i < N; i += 1) {
      const context = { targetingKey: `${prefix}${i}` };
      // Bisect for the lowest percentage that holds the key.
      let [low, high] = [0, BINS - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (evaluators[middle]?.evaluate('checkout-v2', false, context).value) high = middle;
        else low = middle + 1;
      }
      counts[low] = (counts[low] ?? 0) + 1;
    }
    const expected = N / BINS;
    const chiSquare = counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 99 degrees of freedom: above 148.2 with probability 0.001.
    expect(chiSquare).toBeLessThan(148.2);
  });

  // Computed apart from this code, for clients in other languages: the salt is "salt".
  it.each([
    ['user-1', 67197],
    ['user-2', 13362],
    ['käufer-1', 90609],
    ['🛒', 11203],
    ['顧客-7', 7244],
  ])('put %s into the same bucket in every language', (key, expected) => {
    expect(servesOn(open(expected), key)).toBe(false);
    expect(servesOn(open(expected + 1), key)).toBe(true);
  });
});
