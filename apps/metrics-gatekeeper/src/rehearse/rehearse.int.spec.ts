import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { metricsGatekeeper } from '../index.ts';
import type { RehearsalAnswer } from './rehearsals.handler.ts';

const PLAN = `plan: demo
flag: checkout-v2
metrics:
  errors:
    type: ratio
    source: { prometheus: {} }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1% }
steps:
  - { stage: canary, percentage: 10, hold: 10m }
  - { stage: all, percentage: 100, hold: 10m }
`;
/** Five requests in a hundred fail, if at all. */
const series = (failing: number, minutes = 60) =>
  [
    `requests_total{status="ok"} 0+${6_000 * (1 - failing)}x${minutes}`,
    `requests_total{status="error"} 0+${6_000 * failing}x${minutes}`,
  ].join('\n');

const services: TestService[] = [];
afterEach(async () => {
  for (const service of services.splice(0)) await service.stop();
});
async function serve(): Promise<TestService> {
  const service = await startTestService(metricsGatekeeper);
  services.push(service);
  await service.put('/v1/plans/demo', PLAN);
  return service;
}
const rehearse = (service: TestService, body: object) =>
  service.post<RehearsalAnswer & { code?: string; detail?: string }>(
    '/v1/plans/demo/rehearse',
    body,
  );

describe('a plan is rehearsed over HTTP', () => {
  it("on series in promtool's notation, and nothing of it is stored or published", async () => {
    const service = await serve();
    const told = service.published('rollout.events').length;
    const { status, body } = await rehearse(service, { data: { series: series(0.001) } });
    expect([status, body.ended.outcome]).toEqual([200, 'completed']);
    const broken = await rehearse(service, { data: { series: series(0.05) } });
    expect(broken.body.ended).toMatchObject({ outcome: 'rolled-back' });
    expect(broken.body.guards[0]?.fired).toMatchObject({ stage: 'canary' });
    expect(service.published('rollout.events')).toHaveLength(told);
    expect((await service.get('/v1/rollouts')).body).toEqual({ items: [] });
  });

  it('on an OpenMetrics file, with injections', async () => {
    const service = await serve();
    const lines = (status: string, each: number) =>
      Array.from(
        { length: 120 },
        (_, index) =>
          `requests_total{status="${status}"} ${index * each} ${1_700_000_000 + 15 * index}`,
      );
    const text = [
      '# TYPE requests counter',
      ...lines('ok', 1_500),
      ...lines('error', 1),
      '# EOF',
      '',
    ].join('\n');
    const { body } = await rehearse(service, {
      data: { openMetrics: text },
      inject: ['errors+10%@all'],
    });
    expect(body.ended.outcome).toBe('completed');
    expect(body.injections).toMatchObject([{ firedBy: { guard: 'error-rate' } }]);
  });

  it('in a version that is not stored, given as its text', async () => {
    const service = await serve();
    const text = PLAN.replace('limit: 1%', 'limit: 20%');
    const { body } = await rehearse(service, { text, data: { series: series(0.05) } });
    expect(body.ended.outcome).toBe('completed');
    const wrong = await rehearse(service, {
      text: text.replace('judge: sequential', 'judge: nobody'),
      data: { series: series(0.05) },
    });
    expect(wrong).toMatchObject({ status: 422, body: { code: 'PLAN_VERSION_UNUSABLE' } });
    expect(wrong.body.detail).toContain('line 10: guards.0.judge');
  });
});

describe('what cannot be rehearsed is refused, and says what was expected:', () => {
  it.each([
    ['no data', {}, 'REQUEST_INVALID', 400],
    ['series that are none', { data: { series: 'not a series' } }, 'NOTATION_MALFORMED', 422],
    ['text that is none', { data: { openMetrics: '}{' } }, 'RECORDING_MALFORMED', 422],
    ['none of the plan', { data: { series: 'up 1x10' } }, 'REHEARSAL_NO_DATA', 422],
    ['no version', { version: 7, data: { series: series(0) } }, 'PLAN_VERSION_UNKNOWN', 404],
    ['too long', { data: { series: series(0, 400_000) } }, 'REHEARSAL_TOO_LARGE', 413],
    ['too much', { data: { series: 'a 1x3000000\nb 1x3000000' } }, 'NOTATION_MALFORMED', 422],
  ])('%s', async (_name, body, code, status) => {
    const answer = await rehearse(await serve(), body);
    expect([answer.body.code, answer.status]).toEqual([code, status]);
  });

  it('a body that is larger than a recording can be', async () => {
    const service = await serve();
    const large = await rehearse(service, { data: { series: 'x'.repeat(2_000_000) } });
    expect(large).toMatchObject({ status: 422, body: { code: 'REHEARSAL_NO_DATA' } });
    const tooLarge = await rehearse(service, { data: { series: 'x'.repeat(34_000_000) } });
    expect(tooLarge).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
  });

  it('by whom may not start a rollout', async () => {
    const service = await serve();
    const body = { data: { series: series(0.001) } };
    const { status } = await service.as('viewer').post('/v1/plans/demo/rehearse', body);
    expect(status).toBe(403);
  });
});

it('leaves everything else its turn, and plays one plan at a time', async () => {
  const service = await serve();
  const text = PLAN.replaceAll('hold: 10m', 'hold: 3h').replace(
    'flag: checkout-v2',
    'flag: checkout-v2\ncheckEvery: 5s',
  );
  const body = { text, data: { series: series(0.001, 400) } };
  const over = new AbortController();
  let turns = 0;
  const others = (async () => {
    for (; !over.signal.aborted; turns += 1) await wait(1);
  })();
  const [one, two] = await Promise.all([rehearse(service, body), rehearse(service, body)]);
  over.abort();
  await others;
  expect([one.status, two.status].toSorted((a, b) => a - b)).toEqual([200, 429]);
  const played = [one, two].find(({ status }) => status === 200);
  expect(played?.body.checks).toBeGreaterThan(4_000);
  // A rehearsal that kept the process to itself would leave one or two.
  expect(turns).toBeGreaterThan(20);
}, 120_000);
