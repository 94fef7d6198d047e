import { randomUUID } from 'node:crypto';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { flagService } from '../index.ts';

const staging = '/v1/environments/test/flags';
const production = '/v1/environments/production/flags';
const body = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 25 },
};
const why = { reason: 'it is proven' };

let service: TestService;
beforeAll(async () => {
  service = await startTestService(flagService);
  for (const each of ['test', 'production']) await service.put(`/v1/environments/${each}`);
});
const fresh = (): string => `flag-${randomUUID()}`;
const copy = (key: string, more: object = {}, headers = {}) =>
  service.post(`${staging}/${key}/copy`, { to: 'production', ...why, ...more }, headers);
const saltOf = async (path: string) =>
  ((await service.get(path)).body['flag'] as { salt: string }).salt;

describe('a copy to another environment', () => {
  it('of a flag that is new there reaches the same users', async () => {
    const key = fresh();
    await service.put(`${staging}/${key}`, body);
    const answer = await copy(key);
    expect(answer.body).toMatchObject({
      environment: 'production',
      key,
      version: 1,
      isNew: true,
      changed: true,
    });
    expect(await saltOf(`${production}/${key}`)).toBe(await saltOf(`${staging}/${key}`));
  });

  it('says what changes, and with dryRun changes nothing', async () => {
    const key = fresh();
    await service.put(`${staging}/${key}`, body);
    await copy(key);
    await service.put(`${staging}/${key}`, {
      ...body,
      exposure: { variant: 'on', percentage: 100 },
      owner: 'shop',
    });
    const changes = [
      { path: 'exposure.percentage', before: 25, after: 100 },
      { path: 'owner', after: 'shop' },
    ];
    const dry = await copy(key, { dryRun: true });
    expect(dry.body).toEqual({
      environment: 'production',
      key,
      dryRun: true,
      isNew: false,
      version: 1,
      changes: expect.arrayContaining(changes),
    });
    expect((await service.get(`${production}/${key}`)).body).toMatchObject({ version: 1 });
    expect((await copy(key)).body).toMatchObject({ version: 2, changed: true });
    expect((await copy(key)).body).toMatchObject({ version: 2, changed: false, changes: [] });
    await service.idle();
    const { body: history } = await service.get(`${production}/${key}/history`);
    expect(history['items']).toMatchObject([
      { reason: `it is proven (copied from test, version 2)` },
      {},
    ]);
  });

  it('leaves alone whether the flag is off, and its salt', async () => {
    const key = fresh();
    await service.put(`${staging}/${key}`, body);
    await service.put(`${production}/${key}`, { ...body, owner: 'other' });
    await service.post(`${production}/${key}/disable`, { reason: 'broken' });
    const salt = await saltOf(`${production}/${key}`);
    expect((await copy(key)).body).toMatchObject({ flag: { disabled: { reason: 'broken' } } });
    expect(await saltOf(`${production}/${key}`)).toBe(salt);
    const other = fresh();
    await service.put(`${staging}/${other}`, body);
    await service.post(`${staging}/${other}/disable`, { reason: 'broken here' });
    expect((await copy(other)).body['flag']).not.toHaveProperty('disabled');
  });

  it('is refused, also dry, while what the flag refers to is missing there', async () => {
    const key = fresh();
    await service.put('/v1/environments/test/segments/only-here', { members: ['ada'] });
    const rules = [{ when: { segment: 'only-here' }, variant: 'on' }];
    await service.put(`${staging}/${key}`, { ...body, rules });
    for (const dryRun of [true, false]) {
      const refused = await copy(key, { dryRun });
      expect([refused.status, refused.body['code']]).toEqual([422, 'FLAG_REFERENCE_UNKNOWN']);
      expect(refused.text).toContain('segment only-here in production');
    }
  });

  it('overwrites nobody who wrote there at the same time', async () => {
    const key = fresh();
    await service.put(`${staging}/${key}`, body);
    await service.put(`${production}/${key}`, { ...body, owner: 'other' });
    expect((await copy(key, {}, { 'if-match': '"1.7"' })).status).toBe(412);
    expect((await copy(key, {}, { 'if-none-match': '*' })).status).toBe(412);
    expect((await copy(key, {}, { 'if-match': '"1.1"' })).status).toBe(200);
  });

  it('is made once, however often the request is repeated', async () => {
    const key = fresh();
    await service.put(`${staging}/${key}`, body);
    const headers = { 'idempotency-key': randomUUID() };
    expect((await copy(key, {}, headers)).body).toMatchObject({ changed: true, version: 1 });
    await service.put(`${staging}/${key}`, { ...body, owner: 'shop' });
    expect((await copy(key, {}, headers)).body).toMatchObject({ version: 1 });
  });

  it('needs a key for both environments, and two of them', async () => {
    const key = fresh();
    await service.put(`${staging}/${key}`, body);
    const onlyHere = service.as('operator', 'test');
    const refused = await onlyHere.post(`${staging}/${key}/copy`, { to: 'production', ...why });
    expect([refused.status, refused.body['code']]).toEqual([403, 'AUTH_ENVIRONMENT_FORBIDDEN']);
    expect((await copy(key, { to: 'test' })).body['code']).toBe('COPY_TO_ITSELF');
    expect((await copy(key, { to: 'nowhere' })).body['code']).toBe('ENVIRONMENT_UNKNOWN');
    expect((await copy(fresh())).body['code']).toBe('FLAG_UNKNOWN');
  });
});

describe('a deleted flag', () => {
  it('that is restored reaches the same users as before, and is off if it was off', async () => {
    const key = fresh();
    await service.put(`${staging}/${key}`, body);
    const salt = await saltOf(`${staging}/${key}`);
    await service.delete(`${staging}/${key}?reason=too%20early`);
    await service.idle();
    const restored = await service.post(`${staging}/${key}/restore`, { version: 1, ...why });
    expect(restored.body).toMatchObject({ version: 3, flag: { salt } });
    await service.post(`${staging}/${key}/disable`, { reason: 'broken' });
    await service.delete(`${staging}/${key}?reason=again`);
    await service.idle();
    const off = await service.post(`${staging}/${key}/restore`, { version: 1, ...why });
    expect(off.body).toMatchObject({ flag: { salt, disabled: { reason: 'broken' } } });
    const gone = await service.post(`${staging}/${fresh()}/restore`, { version: 1, ...why });
    expect([gone.status, gone.body['code']]).toEqual([404, 'FLAG_UNKNOWN']);
  });
});

describe('a read with the ETag that it answered', () => {
  it('says that nothing has changed, without a body', async () => {
    const path = `${staging}/${fresh()}`;
    await service.put(path, body);
    const known = { 'if-none-match': '"1.1"' };
    const same = await service.get(path, known);
    expect([same.status, same.text]).toEqual([304, '']);
    await service.put(path, { ...body, owner: 'shop' });
    expect((await service.get(path, known)).status).toBe(200);
  });
});

describe('a restore and an enable', () => {
  it('heed the version that was expected', async () => {
    const path = `${staging}/${fresh()}`;
    await service.put(path, body);
    await service.put(path, { ...body, owner: 'shop' });
    await service.idle();
    const stale = { 'if-match': '"1.1"' };
    const restored = await service.post(`${path}/restore`, { version: 1, ...why }, stale);
    const enabled = await service.post(`${path}/enable`, why, stale);
    for (const late of [restored, enabled])
      expect([late.status, late.body['code']]).toEqual([412, 'FLAG_VERSION_CONFLICT']);
    const now = { 'if-match': '"1.2"' };
    expect((await service.post(`${path}/restore`, { version: 1, ...why }, now)).status).toBe(200);
  });
});

it('a history tells what each change changed', async () => {
  const path = `${staging}/${fresh()}`;
  await service.put(path, body);
  await service.put(path, { ...body, exposure: { variant: 'on', percentage: 50 } });
  await service.post(`${path}/disable`, { reason: 'broken' });
  await service.idle();
  const { body: history } = await service.get(`${path}/history`);
  expect(history['items']).toMatchObject([
    { type: 'FlagDisabled', changes: [{ path: 'disabled', after: { reason: 'broken' } }] },
    { changes: [{ path: 'definition.exposure.percentage', before: 25, after: 50 }] },
    { type: 'FlagCreated' },
  ]);
});
