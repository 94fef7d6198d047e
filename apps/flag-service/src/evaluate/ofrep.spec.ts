import { flagDefinition } from '@tidegate/contracts';
import { compile } from '@tidegate/evaluation';
import { expect, it } from '@jest/globals';
import { evaluateOfrep } from './ofrep.ts';

const definition = flagDefinition.parse({
  type: 'string',
  variants: { old: 'v1', new: 'v2' },
  defaultVariant: 'old',
  offVariant: 'old',
  exposure: { variant: 'new', percentage: 50_000 },
  allowedUsers: ['ada'],
});
const evaluator = compile([
  { key: 'checkout', epoch: 1, version: 4, flag: { definition, salt: 'salt' } },
]);
const ask = (key: string, body: unknown) => evaluateOfrep(evaluator, key, body);

it('answers with value, variant, reason and metadata', () => {
  expect(ask('checkout', { context: { targetingKey: 'ada', plan: 'pro' } })).toEqual({
    status: 200,
    body: {
      key: 'checkout',
      value: 'v2',
      variant: 'new',
      reason: 'TARGETING_MATCH',
      metadata: { epoch: 1, version: 4 },
    },
  });
});

it('says that a flag is not there', () => {
  expect(ask('chekout', {})).toMatchObject({
    status: 404,
    body: { key: 'chekout', errorCode: 'FLAG_NOT_FOUND' },
  });
});

it('never draws by chance: without a targeting key it says so', () => {
  for (const body of [undefined, null, {}, { context: {} }])
    expect(ask('checkout', body)).toMatchObject({
      status: 400,
      body: { key: 'checkout', errorCode: 'TARGETING_KEY_MISSING' },
    });
});

it.each([[[]], ['text'], [{ context: 'ada' }], [{ context: { targetingKey: 7 } }]])(
  'refuses a body that is no request: %j',
  (body) => {
    expect(ask('checkout', body)).toMatchObject({
      status: 400,
      body: { key: 'checkout', errorCode: 'INVALID_CONTEXT', errorDetails: expect.any(String) },
    });
  },
);
