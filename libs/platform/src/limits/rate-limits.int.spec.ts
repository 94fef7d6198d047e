import { describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { startTestService, type TestService } from '../test-service.nest.ts';
import { TestClient } from '../test-client.http.ts';
import { tinyService } from '../tiny-service.nest.ts';
import { RateLimits } from './rate-limits.handler.ts';

const limited = (perMinute: number, anonymous = perMinute): Promise<TestService> =>
  startTestService(tinyService(), {
    env: {
      RATE_LIMIT_PER_MINUTE: String(perMinute),
      RATE_LIMIT_ANONYMOUS_PER_MINUTE: String(anonymous),
    },
  });
const READ = '/v1/environments/test/read';
const statuses = async (client: TestClient, path: string, times: number): Promise<number[]> => {
  const answers: number[] = [];
  for (let time = 0; time < times; time += 1) answers.push((await client.get(path)).status);
  return answers;
};

describe('who asks too often', () => {
  it('is told 429, why, and when to come back; other keys go on', async () => {
    const service = await limited(3);
    const viewer = service.as('viewer');
    expect(await statuses(viewer, READ, 4)).toEqual([200, 200, 200, 429]);
    const { body, headers } = await viewer.get(READ);
    expect(body).toMatchObject({
      type: 'urn:tidegate:problem:RATE_LIMITED',
      status: 429,
      code: 'RATE_LIMITED',
      detail: expect.stringMatching(
        /^This key may ask 3 times a minute; ask again in (59|60) s\.$/,
      ),
    });
    expect(headers.get('content-type')).toContain('application/problem+json');
    const seconds = headers.get('retry-after');
    expect(Number(seconds)).toBeGreaterThan(50);
    expect(headers.get('ratelimit-policy')).toBe('"key";q=3;w=60');
    expect(headers.get('ratelimit')).toBe(`"key";r=0;t=${seconds}`);
    expect((await service.as('operator').get(READ)).status).toBe(200);
  });

  it('without a valid key is counted by address, whatever it guesses and wherever', async () => {
    const service = await limited(100, 4);
    const guess = (key: string) => new TestClient(service.url, key);
    expect((await service.anonymous().get(READ)).status).toBe(401);
    expect((await guess('tg_a').get(READ)).status).toBe(401);
    expect((await guess('tg_b').post('/v1/kill')).status).toBe(401);
    expect((await guess('tg_c').get('/nowhere')).status).toBe(404);
    for (const [method, path] of [
      ['GET', READ],
      ['POST', '/v1/kill'],
      ['GET', '/nowhere'],
      ['GET', '/openapi.json'],
    ] as const)
      expect((await guess('tg_d').request(method, path)).body).toMatchObject({
        code: 'RATE_LIMITED',
        detail: expect.stringContaining('Without a key that is known here'),
      });
    expect((await service.as('viewer').get(READ)).status).toBe(200);
  });

  it('may still take a flag back, and is still seen to be well', async () => {
    const service = await limited(1);
    const operator = service.as('operator');
    expect(await statuses(operator, READ, 2)).toEqual([200, 429]);
    expect((await operator.post('/v1/kill')).body).toEqual({ killed: true });
    expect(await statuses(service.anonymous(), '/openapi.json', 2)).toEqual([200, 429]);
    for (const path of ['/health/live', '/health/ready', '/metrics'])
      expect((await service.anonymous().get(path)).status).toBe(200);
  });

  it('is counted, and written down for the audit, not more than once a minute', async () => {
    const service = await limited(2);
    await statuses(service.as('viewer', 'test'), READ, 6);
    await eventually(() => service.published('audit.events').length > 0);
    expect(service.published('audit.events').map(({ data }) => data)).toMatchObject([
      {
        event: 'rate-limited',
        details: {
          code: 'RATE_LIMITED',
          route: '/v1/environments/:env/read',
          caller: 'viewer@test',
        },
      },
    ]);
    const { text } = await service.anonymous().get('/metrics');
    expect(text).toContain('tidegate_rate_limited_total{kind="key"} 4');
    expect(text).toContain('tidegate_rate_limits_shared 0');
    expect(text).not.toContain('RATE_LIMITED');
  });

  it('is nobody where the limit is 0', async () => {
    const service = await limited(0);
    const both = [
      ...(await statuses(service, READ, 30)),
      ...(await statuses(service.anonymous(), READ, 30)),
    ];
    expect(new Set(both)).toEqual(new Set([200, 401]));
  });
});

describe.each([
  ['heartbeat', 'signs of life', 'alive', 'Instances with this key may give 5 signs of life'],
  ['evaluation', 'evaluations', 'evaluated', 'This key may have flags evaluated 5 times'],
])('what counts as %s: %s', (kind, _, path, sentence) => {
  it('uses up nothing of what its key may ask, and has a limit of its own', async () => {
    const service = await startTestService(tinyService(), {
      env: { RATE_LIMIT_PER_MINUTE: '3', [`RATE_LIMIT_${kind.toUpperCase()}S_PER_MINUTE`]: '5' },
    });
    const sdk = service.as('sdk', 'test');
    const ask = (client: TestClient = sdk) => client.post(`/v1/environments/test/${path}`);
    for (let time = 0; time < 5; time += 1) expect((await ask()).status).toBe(201);
    const { body, headers } = await ask();
    expect(body).toMatchObject({
      code: 'RATE_LIMITED',
      detail: expect.stringMatching(
        new RegExp(String.raw`^${sentence} a minute; ask again in \d+ s\.$`),
      ),
    });
    expect(headers.get('ratelimit-policy')).toBe(`"${kind}";q=5;w=60`);
    expect(await statuses(sdk, READ, 4)).toEqual([200, 200, 200, 429]);
    expect((await ask(service.as('operator'))).status).toBe(201);
  });

  it('counts like everything else without a key', async () => {
    const service = await limited(100, 2);
    const stranger = service.anonymous();
    const asked = [1, 2, 3].map(() => stranger.post(`/v1/environments/test/${path}`));
    expect(
      (await Promise.all(asked)).map(({ status }) => status).toSorted((x, y) => x - y),
    ).toEqual([401, 401, 429]);
  });
});

it('ever new addresses get one limit together, and no more memory, until the old ones are over', () => {
  let now = 0;
  const limits = new RateLimits({
    limits: { key: 0, heartbeat: 0, evaluation: 0, address: 2 },
    mostCallers: 3,
    now: () => now,
  });
  const ask = (address: string) => limits.take('address', address)?.allowed;
  expect(['a', 'b', 'c', 'd', 'e', 'f', 'a'].filter((address) => !ask(address))).toEqual(['f']);
  now += 60_000;
  expect(['g', 'h', 'g', 'h'].map(ask)).toEqual([true, true, true, true]);
});
