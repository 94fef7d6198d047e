import { flagDefinition } from '@tidegate/contracts';
import { compile } from '@tidegate/evaluation';
import { expect, it } from '@jest/globals';
import { evaluateAll, evaluateOfrep, matches } from './ofrep.ts';

const definition = flagDefinition.parse({
  type: 'string',
  variants: { old: 'v1', new: 'v2 "quoted"' },
  defaultVariant: 'old',
  offVariant: 'old',
  exposure: { variant: 'new', percentage: 50_000 },
  allowedUsers: ['ada'],
});
const record = (key: string) => ({ key, epoch: 1, version: 4, flag: { definition, salt: 'salt' } });
const evaluator = compile([record('checkout'), record('search')]);
const ask = (key: string, body: unknown) => {
  const { text, ...answer } = evaluateOfrep(evaluator, key, body);
  return { ...answer, body: JSON.parse(text) as unknown };
};

it('answers with value, variant, reason and metadata, the second time as the first', () => {
  for (const key of ['checkout', 'search', 'checkout'])
    expect(ask(key, { context: { targetingKey: 'ada', plan: 'pro' } })).toEqual({
      status: 200,
      variant: 'new',
      body: {
        key,
        value: 'v2 "quoted"',
        variant: 'new',
        reason: 'TARGETING_MATCH',
        metadata: { epoch: 1, version: 4 },
      },
    });
});

it('says that a flag is not there', () => {
  expect(ask('chek"out', {})).toMatchObject({
    status: 404,
    errorCode: 'FLAG_NOT_FOUND',
    body: { key: 'chek"out', errorCode: 'FLAG_NOT_FOUND' },
  });
});

it('never draws by chance: without a targeting key it says so', () => {
  for (const body of [undefined, null, {}, { context: {} }])
    expect(ask('checkout', body)).toMatchObject({
      status: 400,
      body: { key: 'checkout', errorCode: 'TARGETING_KEY_MISSING', metadata: { version: 4 } },
    });
});

it.each([
  [[]],
  ['text'],
  [{ context: 'ada' }],
  [{ context: [] }],
  [{ context: { targetingKey: 7 } }],
])('refuses a body that is no request: %j', (body) => {
  expect(ask('checkout', body)).toMatchObject({
    status: 400,
    body: { key: 'checkout', errorCode: 'INVALID_CONTEXT', errorDetails: expect.any(String) },
  });
});

it('evaluates all flags, and lets each that cannot be answered say so for itself', () => {
  const keys = ['checkout', 'gone', 'search'].map((key) => [key, JSON.stringify(key)] as const);
  expect(JSON.parse(evaluateAll(evaluator, keys, { targetingKey: 'ada' }))).toEqual([
    expect.objectContaining({ key: 'checkout', variant: 'new' }),
    expect.objectContaining({ key: 'gone', errorCode: 'FLAG_NOT_FOUND' }),
    expect.objectContaining({ key: 'search', variant: 'new' }),
  ]);
  expect(JSON.parse(evaluateAll(evaluator, keys.slice(0, 1), undefined))).toEqual([
    expect.objectContaining({ key: 'checkout', errorCode: 'TARGETING_KEY_MISSING' }),
  ]);
  expect(evaluateAll(evaluator, [], undefined)).toBe('[]');
});

it.each([
  [undefined, false],
  ['W/"a"', true],
  ['"b", W/"a"', true],
  ['*', true],
  ['W/"ab"', false],
])('finds its ETag in If-None-Match: %s', (header, isThere) => {
  expect(matches(header, 'W/"a"')).toBe(isThere);
});
