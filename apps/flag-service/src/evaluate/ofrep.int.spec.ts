import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature, type Provider, ProviderEvents, ProviderStatus } from '@openfeature/web-sdk';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { eventually } from '@tidegate/kernel/testing';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { flagService } from '../index.ts';

const ENVIRONMENT = '/v1/environments/test';
const BULK = '/environments/test/ofrep/v1/evaluate/flags';

const flag = (percentage: number, more = {}) => ({
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage },
  ...more,
});

let service: TestService;
beforeAll(async () => {
  service = await startTestService(flagService);
  await service.put(ENVIRONMENT);
  await service.put('/v1/environments/production');
  await service.put(`${ENVIRONMENT}/flags/f`, flag(100));
  await service.put(`${ENVIRONMENT}/flags/listed`, flag(0, { allowedUsers: ['ada'] }));
  await service.put(`${ENVIRONMENT}/flags/split`, flag(50));
});

interface Item {
  readonly key: string;
  readonly value?: unknown;
  readonly errorCode?: string;
}
const bulk = (context: object, headers = {}) =>
  service.as('sdk', 'test').post<{ flags: Item[]; metadata: object }>(BULK, { context }, headers);

describe('one flag', () => {
  it('is evaluated in the environment that the path names', async () => {
    const reader = service.as('sdk', 'test');
    const context = { targetingKey: 'ada' };
    const answer = await reader.post(`${BULK}/f`, { context });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.body).toMatchObject({ key: 'f', value: true, variant: 'on', reason: 'STATIC' });
    await service.put(`${ENVIRONMENT}/flags/killed`, flag(100));
    await service.post(`${ENVIRONMENT}/flags/killed/disable`, { reason: 'now' });
    const after = await reader.post(`${BULK}/killed`, { context });
    expect(after.body).toMatchObject({ value: false, reason: 'DISABLED' });
  });

  it('is evaluated in the default environment where the path names none', async () => {
    await service.put('/v1/environments/production/flags/f', flag(100));
    const path = '/ofrep/v1/evaluate/flags/f';
    const answer = await service.as('sdk', 'production').post(path, {});
    expect(answer.body).toMatchObject({ key: 'f', value: true });
    const refused = await service.as('sdk', 'test').post(path, {});
    expect([refused.status, refused.body['code']]).toEqual([403, 'AUTH_ENVIRONMENT_FORBIDDEN']);
    expect((await service.anonymous().post(path, {})).status).toBe(401);
  });

  it('fails as the protocol says', async () => {
    const failing = async (path: string, body: unknown, headers = {}) => {
      const { status, body: said } = await service.post(path, body, headers);
      return [status, said['errorCode'], said['key']];
    };
    expect(await failing(`${BULK}/nope`, {})).toEqual([404, 'FLAG_NOT_FOUND', 'nope']);
    expect(await failing(`${BULK}/split`, {})).toEqual([400, 'TARGETING_KEY_MISSING', 'split']);
    expect(await failing(`${BULK}/f`, { context: 7 })).toEqual([400, 'INVALID_CONTEXT', 'f']);
    const json = { 'content-type': 'application/json' };
    expect(await failing(`${BULK}/f`, '{"con', json)).toEqual([400, 'INVALID_CONTEXT', 'f']);
    const elsewhere = BULK.replace('test', 'nowhere');
    expect(await failing(`${elsewhere}/f`, {})).toEqual([404, 'FLAG_NOT_FOUND', 'f']);
    expect(await failing(elsewhere, {})).toEqual([404, 'GENERAL', undefined]);
    expect(await failing(BULK, { context: 7 })).toEqual([400, 'INVALID_CONTEXT', undefined]);
  });
});

it('counts comparisons that cannot be made, and answers all the same', async () => {
  const when = { attribute: 'age', operator: 'at-least', value: 18 };
  const rules = [{ when, variant: 'on' }];
  expect((await service.put(`${ENVIRONMENT}/flags/adults`, flag(0, { rules }))).status).toBe(200);
  const context = { targetingKey: 'ada', age: 'old enough' };
  const { body } = await service.post(`${BULK}/adults`, { context });
  expect(body).toMatchObject({ value: false });
  const { text } = await service.get('/metrics');
  expect(text).toContain('tidegate_flag_mistyped_total{of="flag",operator="at-least"} 1\n');
});

describe('all flags', () => {
  it('come with their values or errors, and those that are deleted do not', async () => {
    await service.put(`${ENVIRONMENT}/flags/gone`, flag(100));
    await service.delete(`${ENVIRONMENT}/flags/gone?reason=old`);
    const { body } = await bulk({});
    expect(body.metadata).toMatchObject({ environment: 'test' });
    const keys = body.flags.map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(['f', 'listed', 'split']));
    expect(keys).not.toContain('gone');
    expect(body.flags).toContainEqual({
      key: 'f',
      value: true,
      variant: 'on',
      reason: 'STATIC',
      metadata: { epoch: 1, version: 1 },
    });
    expect(body.flags).toContainEqual(
      expect.objectContaining({ key: 'split', errorCode: 'TARGETING_KEY_MISSING' }),
    );
  });

  it('are not sent again to who has them, for this context, until one of them changes', async () => {
    const context = { targetingKey: 'ada', plan: 'pro' };
    const etag = (await bulk(context)).headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"/);
    const again = await bulk(context, { 'if-none-match': etag });
    expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
    for (const other of [{ ...context, plan: 'free' }, { ...context, targetingKey: 'bo' }, {}])
      expect((await bulk(other, { 'if-none-match': etag })).status).toBe(200);
    await service.put(`${ENVIRONMENT}/flags/changing`, flag(1));
    expect((await bulk(context, { 'if-none-match': etag })).status).toBe(200);
  });

  it('change with the segments that they refer to', async () => {
    await service.put(`${ENVIRONMENT}/segments/beta`, { members: ['ada'] });
    const rules = [{ when: { segment: 'beta' }, variant: 'on' }];
    await service.put(`${ENVIRONMENT}/flags/for-beta`, flag(0, { rules }));
    const context = { targetingKey: 'bo' };
    const valueOf = (flags: Item[]) => flags.find(({ key }) => key === 'for-beta')?.value;
    const before = await bulk(context);
    expect(valueOf(before.body.flags)).toBe(false);
    await service.put(`${ENVIRONMENT}/segments/beta`, { members: ['ada', 'bo'] });
    const etag = before.headers.get('etag') ?? '';
    const after = await bulk(context, { 'if-none-match': etag });
    expect([after.status, valueOf(after.body.flags)]).toEqual([200, true]);
  });
});

describe('the provider of the OpenFeature web SDK', () => {
  afterEach(() => OpenFeature.close());

  const provider = (key: string, pollInterval = 0) =>
    new OFREPWebProvider({
      baseUrl: `${service.url}/environments/test`,
      headers: [['Authorization', `Bearer ${key}`]],
      pollInterval,
      cacheMode: 'disabled',
    }) as Provider;

  it('gets all flags, follows its context, and hears of changes by asking again', async () => {
    await service.put(`${ENVIRONMENT}/flags/polled`, flag(0));
    await OpenFeature.setContext({ targetingKey: 'bo' });
    await OpenFeature.setProviderAndWait(provider(service.keyOf('sdk', 'test'), 20));
    const client = OpenFeature.getClient();
    expect(client.getBooleanDetails('listed', true)).toMatchObject({
      value: false,
      variant: 'off',
      flagMetadata: { epoch: 1, version: 1 },
    });
    await OpenFeature.setContext({ targetingKey: 'ada' });
    expect(client.getBooleanDetails('listed', false)).toMatchObject({
      value: true,
      reason: 'TARGETING_MATCH',
    });
    // The provider keeps its ETag when another attribute changes: the answer must not be "as before".
    await OpenFeature.setContext({ targetingKey: 'ada', plan: 'pro' });
    expect(client.getBooleanValue('polled', true)).toBe(false);
    let changed: readonly string[] = [];
    client.addHandler(ProviderEvents.ConfigurationChanged, (event) => {
      changed = event?.flagsChanged ?? [];
    });
    await service.put(`${ENVIRONMENT}/flags/polled`, flag(100));
    await eventually(() => client.getBooleanValue('polled', false));
    expect(changed).toEqual(['polled']);
  });

  it('gets an error code where there is no answer', async () => {
    await OpenFeature.setContext({});
    await OpenFeature.setProviderAndWait(provider(service.keyOf('sdk', 'test')));
    const client = OpenFeature.getClient();
    const split = client.getBooleanDetails('split', true);
    expect(split).toMatchObject({ value: true, errorCode: 'TARGETING_KEY_MISSING' });
    expect(client.getBooleanDetails('nope', true)).toMatchObject({ errorCode: 'FLAG_NOT_FOUND' });
    expect(client.getStringDetails('f', 'x')).toMatchObject({ errorCode: 'TYPE_MISMATCH' });
  });

  it('takes a key of another environment for a mistake that does not pass', async () => {
    const wrong = provider(service.keyOf('sdk', 'production'));
    await expect(OpenFeature.setProviderAndWait(wrong)).rejects.toMatchObject({
      code: 'PROVIDER_FATAL',
    });
    expect(OpenFeature.getClient().providerStatus).toBe(ProviderStatus.FATAL);
  });
});

describe('what is evaluated', () => {
  interface Adoption {
    readonly variants: Record<string, number>;
    readonly counts: { application: string; variant: string; count: number }[];
    readonly lastAsked: number | null;
    readonly lastFetched: number | null;
    readonly countedSince: number;
  }
  const adoption = (key: string, query = '') =>
    service.get<Adoption>(`${ENVIRONMENT}/flags/${key}/adoption${query}`);

  it('is counted by variant and by who has asked', async () => {
    await service.put(`${ENVIRONMENT}/flags/counted`, flag(50, { allowedUsers: ['ada'] }));
    expect((await adoption('counted')).body).toMatchObject({ variants: {}, lastAsked: null });
    const sdk = service.as('sdk', 'test');
    for (const context of [{ targetingKey: 'ada' }, { targetingKey: 'ada' }, {}])
      await sdk.post(`${BULK}/counted`, { context });
    await sdk.post(`${ENVIRONMENT}/heartbeats`, {
      application: 'shop',
      instance: 'shop-1',
      applied: {},
      evaluations: { counted: { off: 5 } },
      unknown: ['coutned'],
    });
    await eventually(async () => (await adoption('counted')).body.variants['off'] === 5);
    const { body } = await adoption('counted');
    expect(body.variants).toEqual({ on: 2, off: 5, ERROR: 1 });
    expect(body.counts).toContainEqual(
      expect.objectContaining({ application: 'sdk@test', variant: 'on', count: 2 }),
    );
    expect(body.lastAsked).toBeGreaterThanOrEqual(body.countedSince);
    const { body: unknown } = await service.get(`${ENVIRONMENT}/unknown-flags`);
    expect(unknown['items']).toContainEqual(
      expect.objectContaining({ key: 'coutned', count: 1, application: 'shop' }),
    );
  });

  it('does not count as asked for when all flags are fetched at once, but that is said', async () => {
    await service.put(`${ENVIRONMENT}/flags/fetched`, flag(100));
    await bulk({});
    await eventually(async () => (await adoption('fetched')).body.lastFetched !== null);
    expect((await adoption('fetched')).body).toMatchObject({ variants: {}, lastAsked: null });
  });

  it('is for people, of flags and environments that are there', async () => {
    expect((await service.as('sdk', 'test').get(`${ENVIRONMENT}/unknown-flags`)).status).toBe(403);
    expect((await adoption('nope')).status).toBe(404);
    expect((await adoption('f', '?hours=49')).status).toBe(400);
    expect((await service.get('/v1/environments/nowhere/unknown-flags')).status).toBe(404);
  });
});
