import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { start } from '../../e2e/process.ts';
import { type Asker, checkout, type Kind, type Place, startAsker } from './asker.ts';
import { type Built, builtIfAny, type LanguageName, languageNames } from './languages.ts';
import { openShop, type Shop } from './shop-house.ts';
import { ada, flags, grace } from './shop.ts';

jest.setTimeout(60_000);

/** What the OpenFeature providers of a language make of the same answers. */
const ways = {
  python: { missingKey: 'TARGETING_KEY_MISSING', offIs: 'the off variant', wholeAsFloat: false },
  go: { missingKey: 'TARGETING_KEY_MISSING', offIs: 'the default', wholeAsFloat: true },
  java: { missingKey: 'INVALID_CONTEXT', offIs: 'the off variant', wholeAsFloat: false },
} as const;

/** What the programs of the how-tos print for Ada. */
const PRINTED = 'the new checkout\nspring 25 0.15 3 warn\non TARGETING_MATCH\n';

let shop: Shop;
/** Each key may have flags evaluated twice a minute. */
let busy: Shop;
beforeAll(async () => {
  const env = { RATE_LIMIT_EVALUATIONS_PER_MINUTE: '2' };
  [shop, busy] = await Promise.all([openShop(), openShop(env)]);
});
afterAll(() => Promise.all([shop, busy].map((each) => each[Symbol.asyncDispose]())));

it('asks the same in Node, with the provider of the SDK, and hears of changes', async () => {
  const env = { ...shop.house.environment, TIDEGATE_KEY: shop.keys.node };
  await using program = start('docs/how-to/examples/openfeature.ts', [], env);
  await program.printed(PRINTED);
  await shop.ask('PUT', '/flags/heard-of', flags.banner);
  await program.printed('changed: heard-of');
});

for (const name of languageNames) {
  const built = builtIfAny(name);
  const title = `OpenFeature in ${name}, over OFREP`;
  if (built)
    describe(title, () => {
      asks(name, built);
    });
  else it.todo(title);
}

function asks(name: LanguageName, built: Built): void {
  const way = ways[name];
  let place: Place;
  let program: Asker;
  beforeAll(async () => {
    place = { url: shop.url, key: shop.keys[name] };
    program = startAsker(built, place);
    // On a busy machine a program that has just started may wait for its first answer longer than it wants to.
    const first = { flag: 'banner', type: 'string', default: 'mine', context: ada } as const;
    await eventually(async () => (await program.ask(first)).value === 'spring', 30_000);
  });
  afterAll(async () => program[Symbol.asyncDispose]());

  it('runs the program of the how-to', async () => {
    expect(await checkout(built, place)).toBe(PRINTED);
  });

  it.each([
    ['boolean', 'checkout-v2', false, true, 'on'],
    ['string', 'banner', 'none', 'spring', 'spring'],
    ['integer', 'max-items', 10, 25, 'many'],
    ['float', 'discount', 0.5, 0.15, 'some'],
    ['object', 'retry', { attempts: 1 }, { attempts: 3, codes: [502, 503], wait: null }, 'patient'],
    ['string', 'address-check', 'off', 'warn', 'warn'],
  ] as const)('asks for a %s: %s', async (type, flag, otherwise, value, variant) => {
    const told = await program.ask({ flag, type, default: otherwise, context: ada });
    expect(told).toMatchObject({ value, variant, metadata: { version: 1 } });
    expect(told.errorCode ?? '').toBe('');
  });

  it('tells users apart by what a rule asks of them', async () => {
    const question = { flag: 'team-search', type: 'boolean', default: false } as const;
    const matched = { value: true, reason: 'TARGETING_MATCH', metadata: { rule: 'big-teams' } };
    expect(await program.ask({ ...question, context: ada })).toMatchObject(matched);
    expect(await program.ask({ ...question, context: grace })).toMatchObject({ value: false });
    const small = { ...ada, seats: 9 };
    expect(await program.ask({ ...question, context: small })).toMatchObject({ value: false });
  });

  it('serves the off variant where a prerequisite is not met', async () => {
    const question = { flag: 'one-page', type: 'boolean', default: true } as const;
    expect(await program.ask({ ...question, context: ada })).toMatchObject({ value: true });
    expect(await program.ask({ ...question, context: grace })).toMatchObject({
      value: false,
      variant: 'off',
      metadata: { prerequisite: 'checkout-v2' },
    });
  });

  it('tells users apart by their key, in an exposure as the service does', async () => {
    const users = Array.from({ length: 20 }, (_, n) => `user-${n}`);
    const reached = [];
    for (const targetingKey of users) {
      const question = { flag: 'half', type: 'boolean', default: false } as const;
      const { value, reason } = await program.ask({ ...question, context: { targetingKey } });
      expect(reason).toBe('SPLIT');
      if (value === true) reached.push(targetingKey);
    }
    expect(reached).toEqual(await reachedAtTheService(users, place));
    expect(reached.length).toBeGreaterThan(0);
    expect(reached.length).toBeLessThan(users.length);
  });

  it.each([
    ['FLAG_NOT_FOUND', 'string', 'nothing', 'mine', ada],
    ['TYPE_MISMATCH', 'boolean', 'banner', true, ada],
    ['TYPE_MISMATCH', 'string', 'max-items', 'mine', ada],
    [way.missingKey, 'boolean', 'half', true, { plan: 'pro' }],
  ] as const)('answers with the default and %s: %s of %s', async (...row) => {
    const [errorCode, type, flag, otherwise, context] = row;
    const told = await program.ask({ flag, type, default: otherwise, context });
    expect(told).toMatchObject({ value: otherwise, errorCode });
  });

  it('gives a whole number as an integer, and as a float where the provider can', async () => {
    const question = { flag: 'max-items', type: 'float' as Kind, default: 0.5, context: ada };
    const told = await program.ask(question);
    expect(told).toMatchObject(
      way.wholeAsFloat ? { value: 25 } : { value: 0.5, errorCode: 'TYPE_MISMATCH' },
    );
  });

  it('answers with the default where the key is not for this environment', async () => {
    await using stranger = startAsker(built, { ...place, key: shop.keyElsewhere });
    const question = { flag: 'banner', type: 'string', default: 'mine', context: ada } as const;
    const told = await stranger.ask(question);
    expect(told).toMatchObject({ value: 'mine', errorCode: 'GENERAL' });
    expect(told.errorMessage).toMatch(/authorization|forbidden/);
  });

  it('answers with the default where a key asks more than its limit', async () => {
    await using asking = startAsker(built, { url: busy.url, key: busy.keys[name] });
    const question = { flag: 'banner', type: 'string', default: 'mine', context: ada } as const;
    const values = [];
    for (let time = 0; time < 3; time += 1) values.push((await asking.ask(question)).value);
    expect(values).toEqual(['spring', 'spring', 'mine']);
    expect(await asking.ask(question)).toMatchObject({ errorCode: 'GENERAL' });
  });

  it('answers with the default when nobody is there', async () => {
    await using alone = startAsker(built, { ...place, url: 'http://127.0.0.1:9' });
    const question = { flag: 'banner', type: 'string', default: 'mine', context: ada } as const;
    expect(await alone.ask(question)).toMatchObject({ value: 'mine', errorCode: 'GENERAL' });
  });

  it(`sees a kill with the next question, and then serves ${way.offIs}`, async () => {
    const flag = `killed-${name}`;
    await shop.ask('PUT', `/flags/${flag}`, flags.banner);
    const question = { flag, type: 'string', default: 'mine', context: grace } as const;
    expect(await program.ask(question)).toMatchObject({ value: 'spring' });
    await shop.ask('POST', `/flags/${flag}/disable`, { reason: 'wrong prices' });
    expect(await program.ask(question)).toMatchObject({
      value: way.offIs === 'the default' ? 'mine' : 'none',
      variant: 'none',
      reason: 'DISABLED',
    });
  });
}

async function reachedAtTheService(users: readonly string[], place: Place): Promise<string[]> {
  const reached: string[] = [];
  for (const targetingKey of users) {
    const response = await fetch(`${place.url}/ofrep/v1/evaluate/flags/half`, {
      method: 'POST',
      headers: { authorization: `Bearer ${place.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ context: { targetingKey } }),
    });
    const { value } = (await response.json()) as { value: boolean };
    if (value) reached.push(targetingKey);
  }
  return reached;
}
