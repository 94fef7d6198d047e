import type { FlagCommand, Message, RolloutRef } from '@tidegate/contracts';
import { definitionOf } from '@tidegate/contracts';
import { memoryBus } from '@tidegate/bus/testing';
import { AppError } from '@tidegate/kernel';
import { randomIds, systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { flagService } from '../index.ts';

const defaults = {
  allowedUsers: [],
  deniedUsers: [],
  settings: {},
  tags: [],
  prerequisites: [],
  rules: [],
};
const body = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
};
const opened = (percentage: number) => ({ ...body, exposure: { variant: 'on', percentage } });
const flags = '/v1/environments/test/flags';
const why = { reason: 'because' };

let service: TestService;
beforeAll(async () => {
  service = await startTestService(flagService);
  await service.put('/v1/environments/test', { description: 'for specs' });
});

/** A new flag of its own for each test. */
async function newFlag(to = service): Promise<string> {
  const key = `flag-${randomUUID()}`;
  const made = await to.put(`${flags}/${key}`, body);
  expect(made.status).toBe(200);
  return key;
}

/** Sends a command through its topic, as a rollout does, and returns what it was answered. */
async function command(
  type: FlagCommand['type'],
  data: object,
  { id = randomUUID(), at = systemClock.now(), to = service } = {},
): Promise<unknown[]> {
  const definition = definitionOf(type);
  if (!definition) throw new Error(type);
  const metadata = {
    id,
    source: 'metrics-gatekeeper',
    at,
    actor: 'rollout:r-1',
    correlationId: 'r-1',
  };
  const full = { environment: 'test', ...data };
  const { topic } = definition;
  await to.context.bus.publish([{ type, topic, key: definition.key(full), data: full, metadata }]);
  await to.idle();
  return answersTo(id, to);
}

const answersTo = (id: string, to = service): unknown[] =>
  to
    .published('flag.events')
    .filter(({ type }) => type === 'FlagCommandAnswered')
    .map(({ data }) => data as { command: { id: string }; outcome: string; code?: string })
    .filter((answer) => answer.command.id === id)
    .map(({ outcome, code }) => code ?? outcome);

const eventsOf = (key: string, to = service): Message[] =>
  to
    .published('flag.events')
    .filter((event) => event.key === `test/${key}` && event.type !== 'FlagCommandAnswered');

const r1: RolloutRef = { id: 'r-1', generation: 1 };
const r1Later: RolloutRef = { id: 'r-1', generation: 2 };

describe('an environment', () => {
  it('is made explicitly, by an admin, and once', async () => {
    const path = '/v1/environments/production';
    expect((await service.as('operator').put(path)).status).toBe(403);
    expect((await service.put(path)).body).toMatchObject({
      environment: 'production',
      version: 1,
      changed: true,
      published: true,
    });
    expect((await service.put(path)).body).toMatchObject({ version: 1, changed: false });
    expect((await service.get('/v1/environments')).body).toEqual({
      items: [{ environment: 'production' }, { environment: 'test', description: 'for specs' }],
    });
  });

  it('is shown only to who may use it', async () => {
    const listed = await service.as('viewer', 'test').get('/v1/environments');
    expect(listed.body).toEqual({ items: [{ environment: 'test', description: 'for specs' }] });
  });

  it('can be made through the topic, and serves at once', async () => {
    const metadata = {
      id: 'c',
      source: 'ci',
      at: systemClock.now(),
      actor: 'ci',
      correlationId: 'c',
    };
    const data = { environment: 'preview' };
    const topic = 'flag.commands';
    await service.context.bus.publish([
      { type: 'PutEnvironment', topic, key: 'preview', data, metadata },
    ]);
    await service.idle();
    expect((await service.get('/v1/environments/preview/snapshot')).status).toBe(200);
  });

  it('that nobody made is unknown to every route, and to commands', async () => {
    const nowhere = '/v1/environments/prodcution';
    const asked = await Promise.all([
      service.get(nowhere),
      service.get(`${nowhere}/flags`),
      service.get(`${nowhere}/flags/x`),
      service.put(`${nowhere}/flags/x`, body),
      service.delete(`${nowhere}/flags/x?reason=old`),
      service.post(`${nowhere}/flags/x/disable`, why),
      service.post(`${nowhere}/flags/x/enable`, why),
      service.post(`${nowhere}/flags/x/release`, why),
      service.post(`${nowhere}/flags/x/restore`, { ...why, version: 1 }),
      service.get(`${nowhere}/flags/x/history`),
      service.get(`${nowhere}/flags/x/applied`),
      service.get(`${nowhere}/snapshot`),
      service.get(`${nowhere}/stream`),
      service.post(`${nowhere}/heartbeats`, { application: 'a', instance: 'i', applied: {} }),
      service.get(`${nowhere}/flags/x/adoption`),
      service.get(`${nowhere}/unknown-flags`),
    ]);
    for (const { status, body } of asked)
      expect([status, body['code']]).toEqual([404, 'ENVIRONMENT_UNKNOWN']);
    const disable = { environment: 'prodcution', key: 'x', ...why };
    expect(await command('DisableFlag', disable)).toEqual(['ENVIRONMENT_UNKNOWN']);
  });
});

describe('the life of a flag', () => {
  it('goes from made to deleted, and its history says who, why, before and after', async () => {
    const key = `flag-${randomUUID()}`;
    const path = `${flags}/${key}`;
    const operator = service.as('operator');
    const made = await operator.put(path, { ...body, reason: 'begin' });
    expect(made.headers.get('etag')).toBe('"1.1"');
    expect(made.body).toEqual({
      environment: 'test',
      key,
      version: 1,
      epoch: 1,
      changed: true,
      published: true,
      flag: {
        definition: { ...body, ...defaults },
        salt: expect.any(String),
      },
    });
    expect((await operator.put(path, body)).body).toMatchObject({ version: 1, changed: false });
    await operator.put(path, opened(0.001));
    await operator.post(`${path}/disable`, { reason: 'checkout is down' });
    expect((await operator.get(path)).body).toMatchObject({
      version: 3,
      flag: {
        definition: { exposure: { percentage: 0.001 } },
        disabled: { reason: 'checkout is down', by: 'operator', at: expect.any(Number) },
      },
    });
    const restored = await operator.post(`${path}/restore`, { version: 1, reason: 'back' });
    expect(restored.body).toMatchObject({
      version: 4,
      flag: { definition: { exposure: { percentage: 0 } }, disabled: { by: 'operator' } },
    });
    expect((await operator.post(`${path}/enable`, why)).body).toMatchObject({ version: 5 });
    const gone = await operator.delete(`${path}?reason=everyone+has+it`);
    expect(gone.body).toMatchObject({ version: 6, flag: null });
    expect((await operator.get(path)).body).toMatchObject({ code: 'FLAG_UNKNOWN', status: 404 });

    await service.idle();
    const { body: history } = await operator.get<{ items: Record<string, unknown>[] }>(
      `${path}/history`,
    );
    expect(
      history.items.map(({ type, version, by, reason }) => [type, version, by, reason]),
    ).toEqual([
      ['FlagDeleted', 6, 'operator', 'everyone has it'],
      ['FlagEnabled', 5, 'operator', 'because'],
      ['FlagRestored', 4, 'operator', 'back'],
      ['FlagDisabled', 3, 'operator', 'checkout is down'],
      ['FlagChanged', 2, 'operator', undefined],
      ['FlagCreated', 1, 'operator', 'begin'],
    ]);
    expect(history.items[4]).toMatchObject({
      before: { definition: { exposure: { percentage: 0 } } },
      after: { definition: { exposure: { percentage: 0.001 } } },
    });
    const first = await operator.get<{ next: string }>(`${path}/history?limit=4`);
    const rest = await operator.get(`${path}/history?limit=4&after=${first.body.next}`);
    expect(rest.body).toEqual({ items: history.items.slice(4) });

    const again = await operator.put(path, body);
    expect(again.body).toMatchObject({ version: 7 });
    const saltOf = (answer: { body: unknown }) =>
      (answer.body as { flag: { salt: string } }).flag.salt;
    expect(saltOf(again)).not.toBe(saltOf(made));
  });

  it('is listed page by page, without what is deleted', async () => {
    await service.put('/v1/environments/paged');
    const path = (key: string) => `/v1/environments/paged/flags/${key}`;
    for (const key of ['a', 'b', 'c', 'd']) await service.put(path(key), body);
    await service.delete(`${path('b')}?reason=old`);
    const list = (query: string) =>
      service.get<{ items: { key: string }[]; next?: string }>(
        `/v1/environments/paged/flags?${query}`,
      );
    const first = await list('limit=2');
    expect(first.body).toMatchObject({ items: [{ key: 'a' }, { key: 'c' }], next: 'c' });
    const second = await list(`limit=2&after=${first.body.next}`);
    expect(second.body.items.map(({ key }) => key)).toEqual(['d']);
    expect(second.body).not.toHaveProperty('next');
  });

  it('can be changed, restored and disabled when it is as large as a flag may be', async () => {
    const path = `${flags}/flag-${randomUUID()}`;
    const large = { ...body, settings: { text: '.'.repeat(65_000) } };
    expect((await service.put(path, large)).status).toBe(200);
    expect((await service.put(path, { ...large, exposure: opened(10).exposure })).status).toBe(200);
    await service.idle();
    expect((await service.post(`${path}/restore`, { version: 1, ...why })).status).toBe(200);
    expect((await service.post(`${path}/disable`, why)).status).toBe(200);
    const larger = await service.put(path, { ...body, settings: { text: '.'.repeat(66_000) } });
    expect([larger.status, larger.body['code']]).toEqual([413, 'FLAG_TOO_LARGE']);
  });

  it('is not restored to a version that never was', async () => {
    const key = await newFlag();
    const restored = await service.post(`${flags}/${key}/restore`, { version: 9, ...why });
    expect(restored.body).toMatchObject({ status: 404, code: 'VERSION_UNKNOWN' });
  });
});

describe('a write with an ETag', () => {
  it('lets one of two writers through', async () => {
    const key = await newFlag();
    const headers = { 'if-match': '"1.1"' };
    const answers = await Promise.all(
      [10, 20].map((percentage) => service.put(`${flags}/${key}`, opened(percentage), headers)),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    expect(answers.find(({ status }) => status === 412)?.body['code']).toBe(
      'FLAG_VERSION_CONFLICT',
    );
    expect((await service.get(`${flags}/${key}`)).headers.get('etag')).toBe('"1.2"');
  });

  it('is refused when it is from before the store was restored', async () => {
    const key = await newFlag();
    const stale = await service.put(`${flags}/${key}`, opened(10), { 'if-match': '"0.1"' });
    expect(stale.status).toBe(412);
  });

  it('can demand that there is no such flag yet', async () => {
    const key = await newFlag();
    const headers = { 'if-none-match': '*' };
    expect((await service.put(`${flags}/${key}`, opened(10), headers)).status).toBe(412);
    expect((await service.put(`${flags}/${randomUUID()}`, body, headers)).status).toBe(200);
  });

  it('protects a flag from being deleted', async () => {
    const key = await newFlag();
    await service.put(`${flags}/${key}`, opened(10));
    const late = await service.delete(`${flags}/${key}?reason=old`, undefined, {
      'if-match': '"1.1"',
    });
    expect(late.status).toBe(412);
  });
});

it('gives a repeated request the first answer again, with no second effect', async () => {
  const key = await newFlag();
  const headers = { 'idempotency-key': randomUUID() };
  const first = await service.post(`${flags}/${key}/disable`, why, headers);
  await service.post(`${flags}/${key}/enable`, why);
  const second = await service.post(`${flags}/${key}/disable`, why, headers);
  expect(second.body['changed']).toBe(first.body['changed']);
  expect((await service.get(`${flags}/${key}`)).body['flag']).not.toHaveProperty('disabled');
});

describe('a rollout, through the topics', () => {
  it('holds, opens, restores and releases its flag; what it sent before comes too late', async () => {
    const key = await newFlag();
    expect(await command('HoldFlag', { key, rollout: r1 })).toEqual(['changed']);
    expect(eventsOf(key).at(-1)).toMatchObject({
      type: 'FlagHeld',
      data: { rollout: r1, disabled: false, definition: { exposure: { percentage: 0 } } },
      metadata: { actor: 'rollout:r-1', correlationId: 'r-1', revision: { epoch: 1, version: 2 } },
    });
    const stage = { key, rollout: r1, step: 'canary', percentage: 10_000 };
    expect(await command('SetExposure', stage)).toEqual(['changed']);
    expect((await service.get(`${flags}/${key}`)).body['flag']).toMatchObject({
      definition: { exposure: { percentage: 10 } },
      hold: { rollout: r1, step: 'canary' },
    });

    const byPerson = await service.put(`${flags}/${key}`, opened(50));
    expect(byPerson.body).toMatchObject({
      status: 409,
      code: 'FLAG_HELD',
      detail: expect.stringContaining('r-1'),
    });
    const words = await service.put(`${flags}/${key}`, { ...opened(10), owner: 'payments' });
    expect(words.status).toBe(200);

    const definition = { ...body, ...defaults };
    const back = { key, definition, reason: 'rollback', rollout: r1Later };
    expect(await command('RestoreFlag', back)).toEqual(['changed']);
    const late = { key, rollout: r1, step: 'half', percentage: 50_000 };
    expect(await command('SetExposure', late)).toEqual(['GENERATION_OLD']);
    expect(await command('ReleaseFlag', { key, rollout: r1, ...why })).toEqual(['GENERATION_OLD']);
    expect(await command('ReleaseFlag', { key, rollout: r1Later, ...why })).toEqual(['changed']);
    expect(await command('SetExposure', { ...late, rollout: r1Later })).toEqual(['FLAG_NOT_HELD']);
    const { body: after } = await service.get(`${flags}/${key}`);
    expect(after['flag']).toMatchObject({ definition: { exposure: { percentage: 0 } } });
    expect(after['flag']).not.toHaveProperty('hold');
  });

  it('is told once, and acted on once, however often its command is delivered', async () => {
    const key = await newFlag();
    await command('HoldFlag', { key, rollout: r1 });
    const id = randomUUID();
    const stage = { key, rollout: r1, step: 'canary', percentage: 10_000 };
    await command('SetExposure', stage, { id });
    await command('SetExposure', { ...stage, percentage: 20_000 });
    expect(await command('SetExposure', stage, { id })).toEqual(['changed']);
    expect((await service.get(`${flags}/${key}`)).body['flag']).toMatchObject({
      definition: { exposure: { percentage: 20 } },
    });
  });

  it('does not open a flag that somebody disabled', async () => {
    const key = await newFlag();
    await command('HoldFlag', { key, rollout: r1 });
    expect((await service.as('operator').post(`${flags}/${key}/disable`, why)).status).toBe(200);
    const stage = { key, rollout: r1, step: 'canary', percentage: 10_000 };
    expect(await command('SetExposure', stage)).toEqual(['FLAG_DISABLED']);
  });

  it('loses its flag to an admin, and to nobody else', async () => {
    const key = await newFlag();
    await command('HoldFlag', { key, rollout: r1 });
    const path = `${flags}/${key}/release`;
    expect((await service.as('approver').post(path, why)).body['code']).toBe('AUTH_ROLE_TOO_LOW');
    expect((await service.post(path, why)).body).toMatchObject({ changed: true });
    expect(eventsOf(key).at(-1)).toMatchObject({ type: 'FlagReleased', data: { rollout: r1 } });
  });

  it('is refused what would be wrong to do so late', async () => {
    const key = await newFlag();
    const at = systemClock.now() - 3_600_000;
    expect(await command('HoldFlag', { key, rollout: r1 }, { at })).toEqual(['COMMAND_EXPIRED']);
    expect(await command('DisableFlag', { key, ...why }, { at })).toEqual(['changed']);
  });

  it('is told that there is no such flag', async () => {
    expect(await command('HoldFlag', { key: 'nope', rollout: r1 })).toEqual(['FLAG_UNKNOWN']);
    expect(await command('RestoreFlag', { key: 'nope', definition: body, ...why })).toEqual([
      'FLAG_UNKNOWN',
    ]);
  });
});

const refuse = async (): Promise<never> => {
  throw new AppError('BUS_UNREACHABLE', 'cut', { retryable: true });
};

it('disables while the bus is away, and says that nobody else knows yet', async () => {
  const bus = memoryBus({ clock: systemClock, ids: randomIds });
  await using alone = await startTestService(flagService, { bus });
  await alone.put('/v1/environments/test');
  const key = await newFlag(alone);
  Object.assign(bus.log, { append: refuse });
  const answer = await alone.post(`${flags}/${key}/disable`, why);
  expect(answer.body).toMatchObject({ changed: true, published: false });
  const { body: snapshot } = await alone.get('/v1/environments/test/snapshot');
  expect(snapshot).toMatchObject({ flags: [{ key, flag: { disabled: why } }] });
  Reflect.deleteProperty(bus.log, 'append');
});

describe('who may', () => {
  it.each([
    ['viewer', 'GET', '', 200],
    ['viewer', 'PUT', '', 403],
    ['viewer', 'POST', '/disable', 403],
    ['operator', 'PUT', '', 200],
    ['operator', 'POST', '/disable', 200],
    ['operator', 'POST', '/release', 403],
    ['sdk', 'GET', '', 403],
  ] as const)('a %s key: %s flag%s → %i', async (role, method, path, status) => {
    const key = await newFlag();
    const content = method === 'GET' ? undefined : method === 'PUT' ? body : why;
    const answer = await service
      .as(role, 'test')
      .request(method, `${flags}/${key}${path}`, content);
    expect(answer.status).toBe(status);
  });

  it('is asked in the environment of the path, and with a key at all', async () => {
    const key = await newFlag();
    const elsewhere = service.as('operator', 'production');
    expect((await elsewhere.put(`${flags}/${key}`, body)).body['code']).toBe(
      'AUTH_ENVIRONMENT_FORBIDDEN',
    );
    expect((await service.anonymous().get(`${flags}/${key}`)).status).toBe(401);
  });
});

describe('bad input', () => {
  it.each([
    [{ ...body, exposure: { variant: 'on', percentage: 100.5 } }, '#/exposure/percentage'],
    [{ ...body, exposure: { variant: 'blue', percentage: 1 } }, '#/exposure/variant'],
    [{ ...body, type: 'colour' }, '#/type'],
    [{ ...body, variants: { on: 'yes', off: false } }, '#/variants/on'],
    [{}, '#/type'],
  ])('is answered with the field and what was expected (%#)', async (wrong, pointer) => {
    const answer = await service.put(`${flags}/${randomUUID()}`, wrong);
    expect(answer.status).toBe(400);
    expect(answer.body['errors']).toContainEqual(
      expect.objectContaining({ pointer, detail: expect.any(String) }),
    );
  });

  it('names a field that there is not', async () => {
    const answer = await service.put(`${flags}/x`, { ...body, exposre: 1 });
    expect(answer.text).toContain('exposre');
  });

  it('refuses a key that cannot be one, and a disable without a reason', async () => {
    expect((await service.put(`${flags}/Not%20A%20Key`, body)).status).toBe(400);
    const key = await newFlag();
    expect((await service.post(`${flags}/${key}/disable`, {})).body['errors']).toMatchObject([
      { pointer: '#/reason' },
    ]);
    expect((await service.delete(`${flags}/${key}`)).body['errors']).toMatchObject([
      { parameter: 'reason' },
    ]);
  });
});

it('documents its routes', async () => {
  const { body: document } = await service.get<{ paths: Record<string, object> }>('/openapi.json');
  const put = JSON.stringify(document.paths['/v1/environments/{env}/flags/{key}']);
  expect(put).toContain('Percent, 0 to 100');
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining([
      '/v1/environments/{env}/stream',
      '/v1/environments/{env}/flags/{key}/applied',
      '/ofrep/v1/evaluate/flags/{key}',
    ]),
  );
});

it('a kill works also for a key that has asked too often', async () => {
  const limited = await startTestService(flagService, { env: { RATE_LIMIT_PER_MINUTE: '2' } });
  await limited.put('/v1/environments/test', {});
  const key = await newFlag(limited);
  expect((await limited.get(`${flags}/${key}`)).body).toMatchObject({ code: 'RATE_LIMITED' });
  expect((await limited.post(`${flags}/${key}/disable`, why)).status).toBe(200);
  const seen = await limited.as('viewer').get(`${flags}/${key}`);
  expect(seen.body).toMatchObject({ flag: { disabled: why } });
});
