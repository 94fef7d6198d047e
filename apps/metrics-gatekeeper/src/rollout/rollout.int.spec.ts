import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { memoryBus } from '@tidegate/bus/testing';
import {
  type GatekeeperAlive,
  type Message,
  RollBack,
  ThresholdBreached,
} from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { eventually } from '@tidegate/kernel/testing';
import { randomIds, systemClock } from '@tidegate/platform';
import {
  startTestService,
  type TestService,
  type TestServiceOptions,
} from '@tidegate/platform/testing';
import { memoryStore } from '@tidegate/store/testing';
import { metricsGatekeeper } from '../index.ts';
import { FlagDouble } from './flag-service.memory.ts';
import type { RolloutBody } from './rollout-queries.handler.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

const WAIT_MS = 10_000;

/** Resolves with what `look` gives as soon as it gives something. */
const until = <T>(look: () => T | Promise<T>): Promise<NonNullable<T>> => eventually(look, WAIT_MS);

/** An application's /metrics: each scrape finds 100 more requests, of which so many failed. */
async function application() {
  const load = { failing: 0, up: true, violations: 0 };
  const counted = { ok: 0, failed: 0 };
  const server = createServer((_request, response) => {
    counted.ok += 100 - load.failing;
    counted.failed += load.failing;
    response
      .writeHead(load.up ? 200 : 503, { 'content-type': 'text/plain; version=0.0.4' })
      .end(
        [
          '# TYPE requests_total counter',
          `requests_total{status="ok"} ${counted.ok}`,
          `requests_total{status="error"} ${counted.failed}`,
          '# TYPE violations_total counter',
          `violations_total ${load.violations}`,
          '',
        ].join('\n'),
      );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`, load };
}

const CANARY = '{ stage: canary, percentage: 10, hold: 400ms }';
const ALL = '{ stage: all, percentage: 100, hold: 400ms }';

const planText = (url: string, steps: readonly string[]): string => `
plan: open-checkout
flag: checkout-v2
checkEvery: 200ms
pageAfter: 1s
metrics:
  errors:
    type: ratio
    source: { scrape: ['${url}'] }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
  violations:
    type: count
    source: { scrape: ['${url}'] }
    count: { metric: violations_total }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 1%, detect: 6% }
  - { name: invariant, judge: immediate, metric: violations }
steps:
${steps.map((step) => `  - ${step}`).join('\n')}
`;

class World {
  readonly service: TestService;
  readonly flag: FlagDouble;
  readonly load: { failing: number; up: boolean; violations: number };
  readonly #url: string;

  constructor(
    service: TestService,
    flag: FlagDouble,
    { url, load }: Awaited<ReturnType<typeof application>>,
  ) {
    this.service = service;
    this.flag = flag;
    this.load = load;
    this.#url = url;
  }

  async start(steps: readonly string[] = [CANARY, ALL], more = ''): Promise<string> {
    const text = `${planText(this.#url, steps)}${more}\n`;
    const put = await this.service.put('/v1/plans/open-checkout', text);
    expect(put.status).toBe(201);
    const body = { plan: 'open-checkout', environment: 'test' };
    const started = await this.service.post<RolloutBody>('/v1/rollouts', body);
    expect(started.status).toBe(201);
    expect(started.headers.get('location')).toBe(`/v1/rollouts/${started.body.id}`);
    return started.body.id;
  }

  async shown(id: string): Promise<RolloutBody> {
    return (await this.service.get<RolloutBody>(`/v1/rollouts/${id}`)).body;
  }

  becomes(id: string, status: string): Promise<RolloutBody> {
    return until(async () => {
      const shown = await this.shown(id);
      return shown.status === status ? shown : undefined;
    });
  }

  opens(id: string, step: string): Promise<RolloutBody> {
    return until(async () => {
      const shown = await this.shown(id);
      return shown.step === step && shown.phase === 'open' ? shown : undefined;
    });
  }

  events(id: string): readonly Message[] {
    return this.service.published('rollout.events').filter(({ key }) => key === id);
  }

  types(id: string): readonly string[] {
    return this.events(id).map(({ type }) => type);
  }
}

async function world(options: TestServiceOptions = {}): Promise<World> {
  const app = await application();
  const service = await startTestService(metricsGatekeeper, options);
  cleanUp.push(() => service.stop());
  const ref = { environment: 'test', key: 'checkout-v2' };
  const flag = await new FlagDouble(service.context, ref).listen();
  return new World(service, flag, app);
}

describe('a rollout', () => {
  it('opens a healthy flag stage by stage, completes, and frees the flag', async () => {
    const here = await world();
    const id = await here.start();
    const done = await here.becomes(id, 'completed');
    expect(here.flag.percentage).toBe(100_000);
    expect(done).toMatchObject({
      exposure: '100 %',
      steps: [{ state: 'done' }, { state: 'done' }],
    });
    expect(here.types(id)).toEqual([
      'RolloutStarted',
      'RolloutCommandAnswered',
      'FlagClaimed',
      'StepStarted',
      'StageOpened',
      'StepCompleted',
      'StepStarted',
      'StageOpened',
      'StepCompleted',
      'RolloutCompleted',
    ]);
    await until(() => (here.flag.heldBy ? undefined : true));
  });

  it('watches on in a bake, and takes back what breaks only then', async () => {
    const here = await world();
    const id = await here.start([ALL, '{ bake: overnight, hold: 400ms }']);
    await here.becomes(id, 'completed');
    expect(here.flag.percentage).toBe(100_000);
    const later = await here.start([ALL, '{ bake: overnight, hold: 1h }']);
    await here.opens(later, 'overnight');
    here.load.failing = 60;
    expect(await here.becomes(later, 'rolled-back')).toMatchObject({
      rollback: { reason: 'error-rate-too-high' },
    });
    expect(here.flag.percentage).toBe(100_000);
  });

  it('puts a broken one back within an instant of its breach, and says why in numbers', async () => {
    const here = await world();
    here.load.failing = 5;
    const id = await here.start();
    const over = await here.becomes(id, 'rolled-back');
    expect(here.flag.percentage).toBe(0);
    expect(over).toMatchObject({ rollback: { reason: 'error-rate-too-high' } });
    expect(over.riskScore).toBeGreaterThan(over.riskLimit);
    const restore = here.flag.received.find(({ type }) => type === 'RestoreFlag');
    const [breach] = here.service.published('metric.breaches');
    expect(breach?.metadata.causationId).toBe(restore?.metadata.causationId);
    await here.service.idle();
    expect((await here.becomes(id, 'rolled-back')).version).toBe(over.version);
    expect((await here.service.get('/metrics')).text).toMatch(
      /tidegate_gatekeeper_verdicts_total\{outcome="breach",reason="error-rate-too-high"[^}]*\} 1/,
    );
  });

  it.each([
    ['are good again', 0, { outcome: 'recovered', page: false }],
    ['stay bad', 20, { outcome: 'persisting', page: true }],
  ])(
    'that was rolled back is watched on, and says once that its metrics %s',
    async (_how, failing, judged) => {
      const here = await world();
      here.load.failing = 20;
      const id = await here.start([CANARY], 'recovery: { within: 2s }');
      await here.becomes(id, 'rolled-back');
      here.load.failing = failing;
      const shown = await until(async () => {
        const body = await here.shown(id);
        return 'recovery' in body && body.recovery?.status !== 'awaited' ? body : undefined;
      });
      expect(shown).toMatchObject({ status: 'rolled-back', recovery: { status: judged.outcome } });
      await until(async () => ((await here.shown(id)).nextCheckAt === null ? true : undefined));
      const told = here.events(id).filter(({ type }) => type === 'RecoveryJudged');
      expect(told.map(({ data }) => data)).toMatchObject([judged]);
      expect(here.types(id).filter((type) => type === 'RollbackStarted')).toHaveLength(1);
    },
  );

  it('rolls back at the first violation', async () => {
    const here = await world();
    const id = await here.start();
    await here.opens(id, 'canary');
    here.load.violations = 1;
    expect(await here.becomes(id, 'rolled-back')).toMatchObject({
      rollback: { reason: 'count-too-high' },
    });
  });

  it('holds while the application does not answer, pages, and goes on when it does', async () => {
    const here = await world();
    const id = await here.start();
    await here.opens(id, 'canary');
    here.load.up = false;
    expect(await here.becomes(id, 'holding')).toMatchObject({ hold: { reason: 'query-error' } });
    await until(() =>
      here.events(id).find(({ data }) => (data as { page?: boolean }).page === true),
    );
    here.load.up = true;
    await here.becomes(id, 'completed');
  });

  it('pages when its rollback is refused', async () => {
    const here = await world();
    here.flag.treat('RestoreFlag', 'refuse');
    const id = await here.start();
    await here.opens(id, 'canary');
    await here.service.post(`/v1/rollouts/${id}/rollback`, { reason: 'looks bad' });
    expect(await here.becomes(id, 'failed')).toMatchObject({
      ended: { reason: 'rollback-refused' },
    });
    here.flag.treat('RestoreFlag', 'obey');
    await here.service.post(`/v1/rollouts/${id}/rollback`, { reason: 'again' });
    await here.becomes(id, 'rolled-back');
    expect(here.flag.percentage).toBe(0);
  });

  it('pages when nobody answers its rollback in time', async () => {
    const here = await world();
    here.flag.treat('RestoreFlag', 'ignore');
    const id = await here.start();
    await here.opens(id, 'canary');
    await here.service.post(`/v1/rollouts/${id}/rollback`, { reason: 'looks bad' });
    expect(await here.becomes(id, 'failed')).toMatchObject({
      ended: { reason: 'rollback-unanswered' },
    });
  });

  it('is one at a time for a flag: the second ends with the reason', async () => {
    const here = await world();
    const first = await here.start(['{ stage: canary, percentage: 10, hold: 1h }']);
    await here.opens(first, 'canary');
    const body = { plan: 'open-checkout', environment: 'test' };
    const second = (await here.service.post<RolloutBody>('/v1/rollouts', body)).body.id;
    const ended = await here.becomes(second, 'aborted');
    const message = expect.stringMatching(
      new RegExp(`^It could not begin, .* FLAG_HELD: ${first} holds it\\.$`),
    );
    expect(ended).toMatchObject({ ended: { message } });
    expect(here.flag.heldBy).toMatchObject({ id: first });
  });

  it('is paused in the name of whoever disabled its flag', async () => {
    const here = await world();
    const id = await here.start(['{ stage: canary, percentage: 10, hold: 1h }']);
    await here.opens(id, 'canary');
    await here.flag.disable('robin', 'checkout is down');
    expect(await here.becomes(id, 'paused')).toMatchObject({ paused: { by: 'robin' } });
  });

  it('goes on after a restart where it stood', async () => {
    const [bus, store] = [
      memoryBus({ clock: systemClock, ids: randomIds }),
      memoryStore({ clock: systemClock }),
    ];
    const here = await world({ bus, store });
    const id = await here.start();
    await here.opens(id, 'canary');
    await here.service.stop();
    const again = await startTestService(metricsGatekeeper, { bus, store });
    cleanUp.push(() => again.stop());
    await until(async () => {
      const { body } = await again.get<RolloutBody>(`/v1/rollouts/${id}`);
      return body.status === 'completed' ? true : undefined;
    });
  });
});

describe('messages from outside', () => {
  it('roll back what they name, or what has their labels, and only that', async () => {
    const here = await world();
    const id = await here.start(['{ stage: canary, percentage: 10, hold: 1h }']);
    await here.opens(id, 'canary');
    const about = { environment: 'test', guard: 'pager', message: 'complaints' };
    for (const labels of [{}, { flag: 'other' }, { flag: 'checkout-v2', plan: 'other' }]) {
      const sent = await here.service.post('/v1/breaches', { ...about, labels });
      expect(sent).toMatchObject({ status: 202, body: { rollouts: [] } });
    }
    await here.service.post('/v1/breaches', { ...about, rollout: id, startsAt: 1 });
    await here.service.idle();
    expect((await here.shown(id)).status).toBe('running');
    const labels = { flag: 'checkout-v2' };
    const sent = await here.service.post('/v1/breaches', { ...about, labels });
    expect(sent.body).toMatchObject({ rollouts: [id] });
    expect(await here.becomes(id, 'rolled-back')).toMatchObject({
      rollback: { by: 'admin', reason: 'pager', message: 'complaints' },
    });
  });

  it('cannot reach into an environment that their key is not for', async () => {
    const here = await world();
    const id = await here.start(['{ stage: canary, percentage: 10, hold: 1h }']);
    await here.opens(id, 'canary');
    const elsewhere = here.service.as('operator', 'production');
    const breach = { environment: 'production', rollout: id, guard: 'pager', message: 'mine' };
    expect((await elsewhere.post('/v1/breaches', breach)).status).toBe(202);
    expect((await elsewhere.get(`/v1/rollouts/${id}`)).status).toBe(403);
    const verbs = ['pause', 'resume', 'promote', 'abort', 'rollback', 'approve'];
    for (const verb of verbs)
      expect((await elsewhere.post(`/v1/rollouts/${id}/${verb}`, { reason: 'x' })).status).not.toBe(
        200,
      );
    expect((await elsewhere.get<{ items: unknown[] }>('/v1/rollouts')).body.items).toEqual([]);
    await here.service.idle();
    expect((await here.shown(id)).status).toBe('running');
  });

  it('are answered, also when they ask for what cannot be', async () => {
    const here = await world();
    const { bus } = here.service.context;
    const unknown = exampleOf(RollBack, { rollout: 'r-nobody' }, { id: 'k-1', source: 'ci' });
    await bus.publish([{ ...unknown, topic: 'kills' }]);
    await until(() =>
      here
        .events('r-nobody')
        .find(({ data }) => (data as { code?: string }).code === 'ROLLOUT_UNKNOWN'),
    );
    expect((await here.service.get('/v1/rollouts/r-nobody')).status).toBe(404);
    const breach = exampleOf(ThresholdBreached, { rollout: 'r-nobody' });
    await bus.publish([{ ...breach, topic: 'metric.breaches' }]);
    await here.service.idle();
    expect(
      (await here.service.get<{ items: unknown[] }>('/v1/bus/dead-letters')).body.items,
    ).toEqual([]);
  });

  it('are acted on once, however often they come', async () => {
    const here = await world();
    const id = await here.start(['{ stage: canary, percentage: 10, hold: 1h }']);
    await here.opens(id, 'canary');
    const kill = exampleOf(RollBack, { rollout: id }, { id: 'k-2', source: 'ci', actor: 'ci' });
    await here.service.context.bus.publish([
      { ...kill, topic: 'kills' },
      { ...kill, topic: 'kills' },
    ]);
    await here.becomes(id, 'rolled-back');
    await here.service.idle();
    expect(here.types(id).filter((type) => type === 'RollbackStarted')).toHaveLength(1);
  });
});

describe('people', () => {
  it('approve with the role that the plan asks for, and never what they began', async () => {
    const here = await world();
    const id = await here.start(['{ approve: review, role: approver }', CANARY]);
    const asked = await here.becomes(id, 'holding');
    expect(asked).toMatchObject({ step: 'review', hold: { reason: 'awaiting-approval' } });
    const path = `/v1/rollouts/${id}/approve`;
    expect(await here.service.as('operator').post(path)).toMatchObject({
      status: 403,
      body: { code: 'APPROVAL_ROLE_TOO_LOW' },
    });
    expect(await here.service.post(path)).toMatchObject({
      status: 403,
      body: { code: 'APPROVAL_FOUR_EYES' },
    });
    expect((await here.service.as('approver').post(path, { reason: 'fine' })).status).toBe(200);
    await here.becomes(id, 'completed');
    const report = await here.service.get<{ approvals: unknown }>(`/v1/rollouts/${id}/report`);
    expect(report.body.approvals).toMatchObject([{ step: 'review', by: 'approver' }]);
  });

  it('pause, resume, promote and abort, each with a reason', async () => {
    const here = await world();
    const id = await here.start(['{ stage: canary, percentage: 10, hold: 1h }', ALL]);
    await here.opens(id, 'canary');
    const post = (verb: string, body: object = { reason: 'because' }) =>
      here.service.post(`/v1/rollouts/${id}/${verb}`, body);
    expect((await post('pause', {})).status).toBe(400);
    expect((await post('pause')).body).toMatchObject({ status: 'paused', changed: true });
    expect((await post('pause')).body).toMatchObject({ status: 'paused', changed: false });
    expect((await post('promote')).body).toMatchObject({ code: 'ROLLOUT_PAUSED' });
    expect((await post('resume')).body).toMatchObject({ status: 'running' });
    await until(async () => {
      const { body } = await here.service.get<{ steps: { coveredMs?: number }[] }>(
        `/v1/rollouts/${id}`,
      );
      return body.steps[0]?.coveredMs; // its first check is done
    });
    expect((await post('promote')).status).toBe(200);
    await until(async () => {
      const { body } = await here.service.get<{ evidence: { stage: string }[] }>(
        `/v1/rollouts/${id}/report`,
      );
      return body.evidence.find(({ stage }) => stage === 'canary');
    });
    await until(() => (here.flag.percentage === 100_000 ? true : undefined));
    expect((await post('abort')).body).toMatchObject({ status: 'aborted', exposure: '100 %' });
    expect((await post('rollback')).body).toMatchObject({ code: 'ROLLOUT_ENDED' });
  });

  it('start once with one idempotency key, and learn what is not there', async () => {
    const here = await world();
    await here.start(['{ stage: canary, percentage: 10, hold: 1h }']);
    const body = { plan: 'open-checkout', environment: 'test' };
    const start = () => here.service.post('/v1/rollouts', body, { 'idempotency-key': 'deploy-7' });
    const [first, second] = [await start(), await start()];
    expect(second.body['id']).toBe(first.body['id']);
    const elsewhere = { ...body, environment: 'production' };
    const key = { 'idempotency-key': 'deploy-7' };
    expect(await here.service.post('/v1/rollouts', elsewhere, key)).toMatchObject({
      status: 422,
      body: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
    const other = { ...body, plan: 'nothing' };
    expect(await here.service.post('/v1/rollouts', other)).toMatchObject({
      status: 404,
      body: { code: 'PLAN_UNKNOWN' },
    });
    expect(await here.service.post('/v1/rollouts', { ...body, version: 9 })).toMatchObject({
      status: 404,
      body: { code: 'PLAN_VERSION_UNKNOWN' },
    });
    expect((await here.service.as('viewer').post('/v1/rollouts', body)).status).toBe(403);
  });

  it('learn of every field and condition that is not known here', async () => {
    const here = await world();
    const body = { plan: 'open-checkout', environment: 'test', enviroment: 'production' };
    const started = await here.service.post('/v1/rollouts', body);
    expect(started).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
    expect(JSON.stringify(started.body)).toContain('enviroment');
    for (const query of ['status=runing', 'flg=checkout-v2'])
      expect((await here.service.get(`/v1/rollouts?${query}`)).status).toBe(400);
    expect((await here.service.get('/v1/rollouts?status=running&live=true')).status).toBe(200);
  });

  it('read what was decided, page by page, and the report in both forms', async () => {
    const here = await world();
    here.load.failing = 5;
    const id = await here.start();
    await here.becomes(id, 'rolled-back');
    await here.service.idle();
    const path = `/v1/rollouts/${id}/decisions`;
    type Page = { items: { type: string; version: number }[]; next?: number };
    const whole = (await here.service.get<Page>(path)).body;
    expect(whole.items.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['RolloutStarted', 'ThresholdBreached', 'RolloutRolledBack']),
    );
    expect(here.service.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: 'a rollout is rolled back',
        rollout: id,
        flag: 'checkout-v2',
        reason: 'error-rate-too-high',
      }),
    );
    const { text } = await here.service.get('/metrics');
    expect(text).toContain('tidegate_gatekeeper_events_total{type="RolloutRolledBack"} 1');
    const paged: { type: string }[] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const query: string = after === 0 ? '?limit=1' : `?limit=1&after=${after}`;
      const { body } = await here.service.get<Page>(`${path}${query}`);
      paged.push(...body.items);
      after = body.next;
    }
    expect(paged).toEqual(whole.items);
    const accept = { accept: 'text/markdown' };
    const markdown = await here.service.get(`/v1/rollouts/${id}/report`, accept);
    expect(markdown.headers.get('content-type')).toContain('text/markdown');
    expect(markdown.text).toContain('# open-checkout in test: rolled-back');
    expect(markdown.text).toMatch(
      /breach: error-rate-too-high .* requests failed \(5 %\), limit 1 %/,
    );
  });
});

it('tells others that it is alive, and what it looks after', async () => {
  const here = await world({ env: { METRICS_GATEKEEPER_HEARTBEAT_MS: '50' } });
  const stage = '{ stage: canary, percentage: 10, hold: 1h, closeIfSilentFor: 10m }';
  const id = await here.start([stage]);
  await here.opens(id, 'canary');
  const newest = () =>
    here.service.published('gatekeeper.heartbeats').at(-1)?.data as GatekeeperAlive['data'];
  const first = await until(() => newest()?.lookedAfter?.[id]);
  expect(newest()).toMatchObject({ running: 1 });
  here.load.up = false; // its checks hold, and that is a sign of life
  await here.becomes(id, 'holding');
  await until(() => (newest().lookedAfter?.[id] ?? 0) > first + 1_000 || undefined);
});
