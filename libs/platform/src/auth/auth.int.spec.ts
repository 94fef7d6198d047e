import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Role, roles } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '../test-service.nest.ts';
import { TestClient } from '../test-client.http.ts';
import { tinyService } from '../tiny-service.nest.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService(tinyService(), { env: { API_KEYS_CHECK_MS: '20' } });
});

const seen = async (client: TestClient, method: string, path: string, body?: unknown) => {
  const { status, body: answer } = await client.request(method, path, body);
  return status < 300 ? 'yes' : String(answer['code']);
};

describe('who may use a route', () => {
  const low = 'AUTH_ROLE_TOO_LOW';
  it.each([
    // route, then what sdk, viewer, operator, approver and admin keys of the environment `test` get
    ['GET', '/v1/environments/test/read', ['yes', 'yes', 'yes', 'yes', 'yes']],
    ['GET', '/v1/environments/test/items', [low, 'yes', 'yes', 'yes', 'yes']],
    ['PUT', '/v1/environments/test', [low, low, 'yes', 'yes', 'yes']],
    ['GET', '/v1/bus/lag', [low, low, 'yes', 'yes', 'yes']],
  ])('%s %s: by role', async (method, path, expected) => {
    const found = await Promise.all(
      roles.map((role) =>
        seen(service.as(role, 'test'), method, path, method === 'PUT' ? {} : undefined),
      ),
    );
    expect(found).toEqual(expected);
  });

  it('is decided by environment too, also where it stands in the body', async () => {
    const operator = service.as('operator', 'test');
    const forbidden = 'AUTH_ENVIRONMENT_FORBIDDEN';
    expect(await seen(operator, 'PUT', '/v1/environments/production', {})).toBe(forbidden);
    expect(await seen(service.as('sdk', 'test'), 'GET', '/v1/environments/production/read')).toBe(
      forbidden,
    );
    expect(await seen(operator, 'POST', '/v1/in-body', { environment: 'test' })).toBe('yes');
    expect(await seen(operator, 'POST', '/v1/in-body', { environment: 'production' })).toBe(
      forbidden,
    );
    expect(await seen(operator, 'POST', '/v1/in-body', {})).toBe(forbidden);
    expect(await seen(service.as('operator'), 'POST', '/v1/in-body', {})).toBe('yes');
    expect(await seen(operator, 'GET', '/v1/bus/dead-letters')).toBe(forbidden);
    expect(await seen(service.as('admin', 'test'), 'POST', '/v1/text', 'a')).toBe(forbidden);
  });

  it('says what was needed', async () => {
    const role = await service.as('viewer', 'test').put('/v1/environments/test', {});
    expect(role.body['detail']).toBe(
      'This needs a key with the role operator; viewer@test has the role viewer.',
    );
    const environment = await service.as('viewer', 'test').get('/v1/environments/production/items');
    expect(environment.body['detail']).toBe(
      'This needs a key for the environment production; viewer@test has one for test.',
    );
  });

  it('is nobody when the route does not say', async () => {
    expect(await seen(service, 'GET', '/v1/undeclared')).toBe('AUTH_ROUTE_UNDECLARED');
  });

  it.each([
    [undefined, 'AUTH_KEY_MISSING'],
    ['Basic YWRtaW46YWRtaW4=', 'AUTH_KEY_MISSING'],
    ['Bearer ', 'AUTH_KEY_MISSING'],
    ['Bearer tg_admin_guess', 'AUTH_KEY_UNKNOWN'],
  ])('with the header %s is told 401 and how to do better', async (authorization, code) => {
    const { status, body, headers } = await service
      .anonymous()
      .get('/v1/bus/lag', authorization === undefined ? {} : { authorization });
    expect([status, body['code']]).toEqual([401, code]);
    expect(headers.get('www-authenticate')).toBe('Bearer');
    expect(JSON.stringify(body)).not.toContain('guess');
  });

  it('may look at health, metrics and the API without a key', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics', '/openapi.json'])
      expect((await service.anonymous().get(path)).status).toBe(200);
  });
});

describe('the key file', () => {
  const line = (name: string, role: Role, key: string): string =>
    JSON.stringify({
      name,
      role,
      environments: ['*'],
      sha256: createHash('sha256').update(key).digest('hex'),
    });

  it('is read again when it changes; a malformed one changes nothing, and health says so', async () => {
    const own = await startTestService(tinyService(), { env: { API_KEYS_CHECK_MS: '20' } });
    const file = join(own.folder, 'keys');
    const ada = new TestClient(own.url, 'tg_viewer_ada');
    const mayRead = async (): Promise<boolean> =>
      (await ada.get('/v1/environments/test/read')).status === 200;
    const health = async (): Promise<string> => (await own.get('/health/ready')).text;
    expect(await mayRead()).toBe(false);

    await writeFile(file, line('ada', 'viewer', 'tg_viewer_ada'));
    await eventually(mayRead);
    expect((await own.as('viewer').get('/v1/environments/test/read')).status).toBe(401);

    await writeFile(file, `${line('ada', 'viewer', 'tg_viewer_ada')}\n{"name": "bob"`);
    await eventually(async () => (await health()).includes('line 2: is not JSON'));
    expect(await mayRead()).toBe(true);
    expect((await own.get('/health/ready')).status).toBe(200);

    await writeFile(file, line('bob', 'viewer', 'tg_viewer_bob'));
    await eventually(async () => !(await mayRead()));
    expect(await health()).not.toContain('line 2');
  });
});

describe('refused requests', () => {
  it('are published for the audit, a bounded number of them, without the key', async () => {
    const own = await startTestService(tinyService());
    const guess = new TestClient(own.url, 'tg_admin_guess');
    await Promise.all(Array.from({ length: 20 }, () => guess.get('/v1/environments/test/read')));
    await own.as('viewer', 'test').put('/v1/environments/test', {});
    await eventually(() => own.published('audit.events').length >= 2);
    const events = own.published('audit.events').map(({ data }) => data);
    expect(events).toMatchObject([
      {
        service: 'tiny-service',
        event: 'auth-failed',
        details: {
          code: 'AUTH_KEY_UNKNOWN',
          method: 'GET',
          route: '/v1/environments/:env/read',
          address: '127.0.0.1',
        },
      },
      { event: 'access-denied', details: { code: 'AUTH_ROLE_TOO_LOW', caller: 'viewer@test' } },
    ]);
    expect(JSON.stringify([events, own.log])).not.toContain('guess');
    const { text } = await own.get('/metrics');
    expect(text).toContain('tidegate_auth_refused_total{code="AUTH_KEY_UNKNOWN"} 20');
  });
});
