import { expect, it } from '@jest/globals';
import { startTestService } from '@tidegate/platform/testing';
import { metricsGatekeeper } from '../index.ts';

const plan = (risk = '1%', name = 'demo'): string => `plan: ${name}
flag: checkout-v2
risk: ${risk}
metrics:
  errors:
    type: ratio
    source: { scrape: ['http://127.0.0.1:9/metrics'] }
    bad: { metric: errors_total }
    total: { metric: requests_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1% }
steps:
  - { stage: canary, percentage: 10, hold: 5s }
  - { stage: all, percentage: 100, hold: 5s }
`;

it('keeps every version of a plan as it was put', async () => {
  const service = await startTestService(metricsGatekeeper);
  const first = await service.put('/v1/plans/demo', plan());
  expect(first).toMatchObject({
    status: 201,
    body: {
      plan: 'demo',
      version: 1,
      changed: true,
      by: 'admin',
      shares: { 'error-rate@all': 0.5 },
    },
  });
  const same = await service.put('/v1/plans/demo', plan());
  expect(same).toMatchObject({ status: 200, body: { version: 1, changed: false } });
  expect((await service.put('/v1/plans/demo', plan('2%'))).body).toMatchObject({ version: 2 });

  const newest = (await service.get('/v1/plans/demo')).body;
  expect(newest).toMatchObject({ plan: 'demo', version: 2, text: plan('2%') });
  const old = (await service.get('/v1/plans/demo/versions/1')).body;
  expect(old).toMatchObject({ version: 1, text: plan(), hash: first.body['hash'] });
  const { items } = (await service.get<{ items: object[] }>('/v1/plans/demo/versions')).body;
  expect(items).toMatchObject([{ version: 1 }, { version: 2 }]);
  expect(items.some((item) => 'text' in item)).toBe(false);
  const all = await service.get<{ items: object[] }>('/v1/plans');
  expect(all.body.items).toMatchObject([{ plan: 'demo', version: 2 }]);
  expect(service.published('rollout.events').map(({ type, key }) => [type, key])).toEqual([
    ['PlanVersionCreated', 'plan/demo'],
    ['PlanVersionCreated', 'plan/demo'],
  ]);
});

it('makes one version of one text, however many put it at once', async () => {
  const service = await startTestService(metricsGatekeeper);
  const puts = await Promise.all([1, 2, 3].map(() => service.put('/v1/plans/demo', plan())));
  expect(puts.map(({ body }) => body['version'])).toEqual([1, 1, 1]);
  const others = [2, 3, 4].map((risk) => service.put('/v1/plans/demo', plan(`${risk}%`)));
  const versions = (await Promise.all(others)).map(({ body }) => body['version']);
  expect(versions.toSorted((a, b) => Number(a) - Number(b))).toEqual([2, 3, 4]);
});

it('names every problem with its line, and stores nothing', async () => {
  const service = await startTestService(metricsGatekeeper);
  const answer = await service.put<{ code: string; errors: { line: number; path: string }[] }>(
    '/v1/plans/demo',
    plan('200%').replace('hold: 5s', 'hold: soon'),
  );
  expect(answer.status).toBe(422);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body.code).toBe('PLAN_INVALID');
  expect(answer.body.errors.map(({ line, path }) => [line, path])).toEqual([
    [3, 'risk'],
    [13, 'steps.0.hold'],
  ]);
  const other = await service.put<{ errors: { line: number }[] }>(
    '/v1/plans/demo',
    plan('1%', 'x'),
  );
  expect(other).toMatchObject({ status: 422, body: { errors: [{ line: 1, path: 'plan' }] } });
  expect((await service.get('/v1/plans/demo')).status).toBe(404);
});

it('validates without storing when it is only asked to', async () => {
  const service = await startTestService(metricsGatekeeper);
  const dry = (text: string) => service.put('/v1/plans/demo?dryRun=true', text);
  expect(await dry(plan())).toMatchObject({
    status: 200,
    body: { valid: true, flag: 'checkout-v2' },
  });
  expect((await dry('steps: 3')).status).toBe(422);
  expect((await dry('')).body).toMatchObject({ detail: 'line 1: expected object, received null' });
  expect((await service.get('/v1/plans')).body).toEqual({ items: [] });
});

it('takes YAML from operators only, and knows what it does not have', async () => {
  const service = await startTestService(metricsGatekeeper);
  expect((await service.as('viewer').put('/v1/plans/demo', plan())).status).toBe(403);
  // A plan is every environment's: a key for one must not make the version that another will start.
  expect((await service.as('operator', 'test').put('/v1/plans/demo', plan())).status).toBe(403);
  expect((await service.put('/v1/plans/demo', { plan: 'demo' })).status).toBe(415);
  await service.put('/v1/plans/demo', plan());
  expect((await service.get('/v1/plans/demo/versions/7')).body['code']).toBe(
    'PLAN_VERSION_UNKNOWN',
  );
  expect((await service.get('/v1/plans/other')).body['code']).toBe('PLAN_UNKNOWN');
});
