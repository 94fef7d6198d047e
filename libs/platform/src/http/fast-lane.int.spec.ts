import { beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestService } from '../test-service.nest.ts';
import { tinyService } from '../tiny-service.nest.ts';

const PATH = '/v1/environments/test/fast/a';
const JSON_TYPE = { 'content-type': 'application/json' };

let service: TestService;
beforeAll(async () => {
  service = await startTestService(tinyService());
});

describe('a route past Nest', () => {
  it('answers who may ask, with or without a body', async () => {
    const sdk = service.as('sdk', 'test');
    const { status, headers, body } = await sdk.post(`${PATH}?x=1`, { tags: ['a'] });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(body).toEqual({ caller: 'sdk@test', body: { tags: ['a'] } });
    expect((await sdk.post(PATH)).body).toEqual({ caller: 'sdk@test' });
  });

  it('refuses everybody else, as every other route does', async () => {
    const nobody = await service.anonymous().post(PATH, {});
    expect([nobody.status, nobody.body['code']]).toEqual([401, 'AUTH_KEY_MISSING']);
    expect(nobody.headers.get('www-authenticate')).toBe('Bearer');
    const elsewhere = await service.as('sdk', 'production').post(PATH, {});
    expect([elsewhere.status, elsewhere.body['code']]).toEqual([403, 'AUTH_ENVIRONMENT_FORBIDDEN']);
    const metrics = await service.get('/metrics');
    expect(metrics.text).toContain('tidegate_auth_refused_total{code="AUTH_KEY_MISSING"} 1');
  });

  it('is limited together with the other routes', async () => {
    await using limited = await startTestService(tinyService(), {
      env: { RATE_LIMIT_PER_MINUTE: '3' },
    });
    const sdk = limited.as('sdk', 'test');
    await sdk.get('/v1/environments/test/read');
    expect([(await sdk.post(PATH)).status, (await sdk.post(PATH)).status]).toEqual([200, 200]);
    const { status, body, headers } = await sdk.post(PATH);
    expect([status, body['code']]).toEqual([429, 'RATE_LIMITED']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await sdk.get('/v1/environments/test/read')).status).toBe(429);
  });

  it('words a body that cannot be read itself, and leaves all other problems to the platform', async () => {
    const broken = await service.post(PATH, '{"a":', JSON_TYPE);
    expect([broken.status, broken.body]).toEqual([400, { why: 'The body is not valid JSON.' }]);
    const deep = await service.post(PATH, '['.repeat(30_000), JSON_TYPE);
    expect([deep.status, deep.body]).toEqual([
      400,
      { why: 'The body nests objects and lists deeper than 64 levels.' },
    ]);
    const large = await service.post(PATH, { text: 'x'.repeat(2_000_000) });
    expect([large.status, large.body['code']]).toEqual([413, 'BODY_TOO_LARGE']);
    const xml = await service.post(PATH, '<a/>', { 'content-type': 'application/xml' });
    expect([xml.status, xml.body['code']]).toEqual([415, 'BODY_TYPE_UNSUPPORTED']);
    const failed = await service.post(PATH, 'null', JSON_TYPE);
    expect([failed.status, failed.body['code']]).toEqual([503, 'BUS_UNREACHABLE']);
    expect(failed.text).not.toContain('secret');
    const path = await service.post('/v1/environments/%zz/fast/a', {});
    expect([path.status, path.body['code']]).toEqual([400, 'REQUEST_MALFORMED']);
  });

  it('stands in log, metrics and the description of the API', async () => {
    const asked = await service.as('operator').post(PATH, {});
    expect(asked.status).toBe(200);
    expect(service.log).toContainEqual(
      expect.objectContaining({
        msg: 'a request was answered',
        route: '/v1/environments/:env/fast/:key',
        status: 200,
        caller: 'operator',
      }),
    );
    const { text } = await service.get('/metrics');
    expect(text).toMatch(
      /_count\{method="POST",route="\/v1\/environments\/:env\/fast\/:key",status="200"\} \d/,
    );
    const { body } = await service.get<{ paths: Record<string, unknown> }>('/openapi.json');
    expect(body.paths['/v1/environments/{env}/fast/{key}']).toMatchObject({
      post: {
        parameters: [{ name: 'env' }, { name: 'key' }],
        requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
      },
    });
  });

  it('is there for POST alone, and takes nothing from the routes beside it', async () => {
    expect((await service.get(PATH)).status).toBe(404);
    expect((await service.post(`${PATH}/more`, {})).body['code']).toBe('ROUTE_UNKNOWN');
  });
});
