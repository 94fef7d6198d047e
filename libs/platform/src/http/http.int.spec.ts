import { beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestService } from '../test-service.nest.ts';
import { tinyService } from '../tiny-service.nest.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService(tinyService());
});

const put = (body: unknown, headers = {}, environment = 'test') =>
  service.put(`/v1/environments/${environment}`, body, headers);

describe('a problem', () => {
  it('says what is wrong with a body, everything at once, and where', async () => {
    const { status, body, headers } = await put({ description: 7, tags: ['a', 1] });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body).toMatchObject({
      type: 'urn:tidegate:problem:REQUEST_INVALID',
      title: 'Request invalid',
      status: 400,
      code: 'REQUEST_INVALID',
      errors: [
        { pointer: '#/description', expected: 'string' },
        { pointer: '#/tags/1', expected: 'string' },
      ],
    });
  });

  it('names the parameter of a path or query that is wrong', async () => {
    const query = await service.get('/v1/environments/test/items?limit=0');
    expect(query.body).toMatchObject({ status: 400, errors: [{ parameter: 'limit' }] });
    const path = await put({}, {}, 'Not_A_Name');
    expect(path.body).toMatchObject({ status: 400, errors: [{ parameter: 'env' }] });
  });

  it.each(['[', '{"a":'])('answers a body of 30 000 times %s with 400, and why', async (open) => {
    const deep = open.repeat(30_000);
    const answer = await put(deep, { 'content-type': 'application/json' });
    expect(answer.body).toMatchObject({
      status: 400,
      code: 'BODY_TOO_DEEP',
      detail: 'The body nests objects and lists deeper than 64 levels.',
    });
  });

  it('answers a body that is no JSON with 400, and says no more of it', async () => {
    const { status, body } = await put('{"description": tg_admin_secret', {
      'content-type': 'application/json',
    });
    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'BODY_NOT_JSON' });
    expect(body['detail']).not.toContain('secret');
  });

  it('answers a body that is too large with 413, of another type with 415', async () => {
    const large = await put({ description: 'x'.repeat(2_000_000) });
    expect([large.status, large.body['code']]).toEqual([413, 'BODY_TOO_LARGE']);
    const xml = await put('<a/>', { 'content-type': 'application/xml' });
    expect([xml.status, xml.body['code']]).toEqual([415, 'BODY_TYPE_UNSUPPORTED']);
    const json = await service.post('/v1/text', { not: 'text' });
    expect([json.status, json.body['code']]).toEqual([415, 'BODY_TYPE_UNSUPPORTED']);
  });

  it('answers a route that is not there with 404, also when its path cannot be read', async () => {
    const unknown = await service.get('/v1/nothing');
    expect([unknown.status, unknown.body['code']]).toEqual([404, 'ROUTE_UNKNOWN']);
    const malformed = await service.get('/v1/environments/%zz');
    expect([malformed.status, malformed.body['code']]).toEqual([400, 'REQUEST_MALFORMED']);
    expect(malformed.headers.get('content-type')).toContain('application/problem+json');
  });

  it.each([
    ['refuses/PLACE_TAKEN', 423],
    ['refuses/PLACE_FULL', 409],
    ['refuses/PLACE_UNKNOWN', 404],
    ['refuses/COMMAND_EXPIRED', 410],
    ['fails/STORE_UNREACHABLE', 503],
    ['fails/BUS_UNREACHABLE', 503],
    ['fails/STORE_DOCUMENT_TOO_LARGE', 413],
    ['fails/BUS_DEAD_LETTER_UNKNOWN', 404],
    ['fails/STORE_FAILED', 500],
    ['fails/TypeError', 500],
  ])('answers %s with %i', async (path, status) => {
    const found = await service.get(`/v1/${path}`);
    expect(found.status).toBe(status);
    expect(found.body).toMatchObject({ status });
    expect(found.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
  });

  it('keeps the inside of an error to itself, and logs it once with its trace', async () => {
    const { body } = await service.get('/v1/fails/TypeError');
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(body).toMatchObject({ code: 'INTERNAL', title: 'Internal' });
    const lines = service.log.filter((line) =>
      JSON.stringify(line).includes(String(body['traceId'])),
    );
    expect(lines.filter(({ msg }) => msg === 'a request failed')).toHaveLength(1);
  });
});

describe('a change over HTTP', () => {
  it('is answered with its ETag, or with why it was refused', async () => {
    const changed = await put({ description: 'for tests' }, {}, 'production');
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).toBe('"1.1"');
    expect(changed.body).toMatchObject({ outcome: 'changed', description: 'for tests' });
    const refused = await put({ description: 'forbidden' }, {}, 'production');
    expect(refused.body).toMatchObject({ status: 409, code: 'PLACE_FORBIDDEN' });
  });

  it('happens once for one Idempotency-Key of one caller', async () => {
    const once = { 'idempotency-key': 'k-1' };
    const path = '/v1/environments/test';
    const first = await service.put(path, { description: 'one' }, once);
    await service.put(path, { description: 'two' });
    const again = await service.put(path, { description: 'one' }, once);
    expect(again.body).toMatchObject({ outcome: 'changed', version: first.body['version'] });
    expect(again.body).toMatchObject({ description: 'two' });
    const other = await service.as('operator').put(path, { description: 'three' }, once);
    expect(other.body).toMatchObject({ outcome: 'changed', description: 'three' });
    const commands = service
      .published('flag.events')
      .filter(({ data }) => (data as { environment: string }).environment === 'test');
    expect(commands.filter(({ type }) => type === 'EnvironmentChanged')).toHaveLength(3);
    expect(commands.map(({ metadata }) => metadata.actor)).toContain('operator');
  });

  it('refuses an Idempotency-Key or an If-Match that nobody can have been given', async () => {
    const key = await put({}, { 'idempotency-key': 'two words' });
    expect(key.body).toMatchObject({ status: 400, code: 'IDEMPOTENCY_KEY_MALFORMED' });
    const tag = await put({}, { 'if-match': 'W/"1.2"' });
    expect(tag.body).toMatchObject({ status: 400, code: 'IF_MATCH_MALFORMED' });
    const epoch = await put({}, { 'if-match': '"7.2"' });
    expect(epoch.body).toMatchObject({ status: 412, code: 'IF_MATCH_STALE' });
  });

  it('takes no body as an empty one', async () => {
    expect((await put(undefined, {}, 'quiet')).status).toBe(200);
  });
});

it('gives a list page by page', async () => {
  const first = await service.get('/v1/environments/test/items?limit=2');
  expect(first.body).toEqual({ items: ['a', 'b'], next: 'b' });
  const last = await service.get('/v1/environments/test/items?limit=2&after=b');
  expect(last.body).toEqual({ items: ['c'] });
});

it('takes YAML as text', async () => {
  expect((await service.post('/v1/text', 'a: 1\n')).body).toEqual({ length: 5 });
});

it('describes its API, with bodies, parameters and keys', async () => {
  const { status, body } = await service.anonymous().get<{
    paths: Record<
      string,
      Record<string, { parameters: unknown[]; requestBody: unknown; security: unknown }>
    >;
  }>('/openapi.json');
  expect(status).toBe(200);
  expect(body.paths['/v1/environments/{env}']?.['put']).toMatchObject({
    parameters: [{ name: 'env', in: 'path', required: true }],
    requestBody: {
      content: {
        'application/json': { schema: { properties: { description: { maxLength: 100 } } } },
      },
    },
    security: [{ bearer: [] }],
  });
  expect(Object.keys(body.paths)).not.toContain('/health/live');
  const docs = await service.anonymous().get('/docs');
  expect(docs.text).toContain('swagger-ui');
});

it('carries the trace of a request into its work, and begins one where there is none', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const given = await service.get('/v1/trace', {
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  });
  expect(given.body['traceparent']).toContain(traceId);
  const own = await service.get('/v1/trace');
  expect(own.body['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

it('measures requests by route, never by path', async () => {
  await put({}, {}, 'somewhere');
  const { text, headers } = await service.anonymous().get('/metrics');
  expect(headers.get('content-type')).toContain('text/plain');
  expect(text).toContain('route="/v1/environments/:env",status="200"');
  expect(text).not.toContain('somewhere');
  expect(text).toContain('process_resident_memory_bytes');
  expect(text).toContain('tidegate_loop_runs_total{loop="outbox",outcome="succeeded"}');
});
