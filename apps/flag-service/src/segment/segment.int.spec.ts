import { randomUUID } from 'node:crypto';
import { definitionOf, type Message, type SegmentCommand } from '@tidegate/contracts';
import { systemClock } from '@tidegate/platform';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { flagService } from '../index.ts';

const segments = '/v1/environments/test/segments';
const flags = '/v1/environments/test/flags';
const when = { attribute: 'plan', operator: 'equals', value: 'pro' };
const flagBody = {
  type: 'boolean',
  variants: { on: true, off: false },
  defaultVariant: 'off',
  offVariant: 'off',
  exposure: { variant: 'on', percentage: 0 },
};
const forSegment = (segment: string) => ({
  ...flagBody,
  rules: [{ when: { all: [{ segment }] }, variant: 'on' }],
});

let service: TestService;
beforeAll(async () => {
  service = await startTestService(flagService);
  await service.put('/v1/environments/test');
  await service.put('/v1/environments/production');
});

const fresh = (noun: string): string => `${noun}-${randomUUID()}`;
async function newSegment(): Promise<string> {
  const key = fresh('segment');
  expect((await service.put(`${segments}/${key}`, { when })).status).toBe(200);
  return key;
}

/** Sends a command through its topic, and returns what it was answered. */
async function command(type: SegmentCommand['type'], data: object, id = randomUUID()) {
  const definition = definitionOf(type);
  if (!definition) throw new Error(type);
  const full = { environment: 'test', ...data };
  const metadata = {
    id,
    source: 'ci',
    at: systemClock.now(),
    actor: 'ci',
    correlationId: id,
  };
  const { topic } = definition;
  await service.context.bus.publish([
    { type, topic, key: definition.key(full), data: full, metadata },
  ]);
  await service.idle();
  return service
    .published('flag.events')
    .filter((event) => event.type === 'SegmentCommandAnswered')
    .map(
      ({ data: answer }) => answer as { command: { id: string }; outcome: string; code?: string },
    )
    .filter((answer) => answer.command.id === id)
    .map(({ outcome, code }) => code ?? outcome);
}

const statesOf = (key: string): Message[] =>
  service.published('flag.state.test').filter((state) => state.key === `segments/${key}`);

describe('a segment', () => {
  it('is written and read with its ETag, and stands on the state topic', async () => {
    const key = fresh('segment');
    const made = await service.put(`${segments}/${key}`, { when, reason: 'for the beta' });
    expect(made.body).toMatchObject({ key, version: 1, changed: true, published: true });
    const read = await service.as('viewer', 'test').get(`${segments}/${key}`);
    expect(read.headers.get('etag')).toBe('"1.1"');
    expect(read.body).toEqual({
      environment: 'test',
      key,
      version: 1,
      epoch: 1,
      segment: { definition: { members: [], excluded: [], tags: [], when } },
      usedBy: { flags: [], segments: [] },
    });
    expect(statesOf(key).map(({ data }) => data)).toMatchObject([
      { environment: 'test', key, segment: { definition: { when } } },
    ]);
    const listed = await service.get<{ items: { key: string }[] }>(`${segments}?limit=500`);
    expect(listed.body.items.map((each) => each.key)).toContain(key);
  });

  it('is lost to nobody who writes at the same time', async () => {
    const key = await newSegment();
    const stale = { 'if-match': '"1.1"' };
    expect((await service.put(`${segments}/${key}`, { members: ['ada'] }, stale)).status).toBe(200);
    for (const late of [
      await service.put(`${segments}/${key}`, { members: ['bob'] }, stale),
      await service.put(`${segments}/${key}`, {}, { 'if-none-match': '*' }),
      await service.delete(`${segments}/${key}?reason=old`, undefined, stale),
      await service.post(`${segments}/${key}/restore`, { version: 1, reason: 'back' }, stale),
    ])
      expect([late.status, late.body['code']]).toEqual([412, 'SEGMENT_VERSION_CONFLICT']);
  });

  it('tells a mistake by its place', async () => {
    const put = (body: object) => service.put(`${segments}/${fresh('segment')}`, body);
    const wrong = await put({ when: { attribute: 'plan', operator: 'equal', value: 'pro' } });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('#/when/operator');
    expect((await put({ membres: ['ada'] })).text).toContain('membres');
  });

  it('names who uses it, and is deleted only when nobody does', async () => {
    const key = await newSegment();
    const [flag, other] = [fresh('flag'), fresh('segment')];
    await service.put(`${flags}/${flag}`, forSegment(key));
    await service.put(`${segments}/${other}`, { when: { not: { segment: key } } });
    expect((await service.get(`${segments}/${key}`)).body).toMatchObject({
      usedBy: { flags: [flag], segments: [other] },
    });
    const refused = await service.delete(`${segments}/${key}?reason=old`);
    expect([refused.status, refused.body['code']]).toEqual([409, 'SEGMENT_IN_USE']);
    expect(refused.text).toContain(`flag ${flag}, segment ${other}`);

    await service.put(`${flags}/${flag}`, flagBody);
    await service.delete(`${segments}/${other}?reason=old`);
    expect((await service.delete(`${segments}/${key}?reason=old`)).status).toBe(200);
    expect((await service.get(`${segments}/${key}`)).status).toBe(404);
    expect(statesOf(key).at(-1)?.data).toMatchObject({ segment: null });
  });

  it('of another environment is another', async () => {
    const key = await newSegment();
    const there = '/v1/environments/production/flags/somewhere';
    const refused = await service.put(there, forSegment(key));
    expect([refused.status, refused.body['code']]).toEqual([422, 'FLAG_REFERENCE_UNKNOWN']);
    expect(refused.text).toContain(`segment ${key} in production`);
  });

  it('does not go in a circle', async () => {
    const [a, b] = [await newSegment(), await newSegment()];
    await service.put(`${segments}/${b}`, { when: { segment: a } });
    const refused = await service.put(`${segments}/${a}`, { when: { segment: b } });
    expect([refused.status, refused.body['code']]).toEqual([422, 'SEGMENT_CYCLE']);
    expect(refused.text).toContain(`${a} → ${b} → ${a}`);
  });

  it('keeps its history, and any version can be restored, also after it was deleted', async () => {
    const key = await newSegment();
    await service.put(`${segments}/${key}`, { members: ['ada'], reason: 'only her' });
    await service.delete(`${segments}/${key}?reason=done`);
    await service.idle();
    const history = await service.get<{ items: Record<string, unknown>[] }>(
      `${segments}/${key}/history`,
    );
    expect(history.body.items).toMatchObject([
      { type: 'SegmentDeleted', by: 'admin', reason: 'done', after: null },
      { type: 'SegmentChanged', reason: 'only her', before: { definition: { when } } },
      { type: 'SegmentCreated', before: null },
    ]);
    const restored = await service.post(`${segments}/${key}/restore`, {
      version: 1,
      reason: 'needed after all',
    });
    expect(restored.body).toMatchObject({ version: 4, segment: { definition: { when } } });
    const none = await service.post(`${segments}/${key}/restore`, { version: 9, reason: 'back' });
    expect([none.status, none.body['code']]).toEqual([404, 'VERSION_UNKNOWN']);
  });

  it('needs an operator, and an environment that is there', async () => {
    const body = { when };
    expect((await service.as('viewer', 'test').put(`${segments}/x`, body)).status).toBe(403);
    const nowhere = await service.put('/v1/environments/nowhere/segments/x', body);
    expect([nowhere.status, nowhere.body['code']]).toEqual([404, 'ENVIRONMENT_UNKNOWN']);
  });

  it('is written once, however often the request is repeated', async () => {
    const key = fresh('segment');
    const headers = { 'idempotency-key': randomUUID() };
    const body = { members: ['ada'] };
    const first = await service.put(`${segments}/${key}`, body, headers);
    await service.put(`${segments}/${key}`, { members: ['bob'] });
    const again = await service.put(`${segments}/${key}`, body, headers);
    expect(again.body).toMatchObject({ changed: first.body['changed'], version: 2 });
    expect((await service.get(`${segments}/${key}`)).body).toMatchObject({
      segment: { definition: { members: ['bob'] } },
    });
  });

  it('obeys the same rules through the topic, once for each command', async () => {
    const key = fresh('segment');
    const id = randomUUID();
    const definition = { members: ['ada'], excluded: [], tags: [] };
    expect(await command('PutSegment', { key, definition }, id)).toEqual(['changed']);
    expect(await command('PutSegment', { key, definition }, id)).toEqual(['changed']);
    expect((await service.get(`${segments}/${key}`)).body).toMatchObject({ version: 1 });
    const flag = fresh('flag');
    await service.put(`${flags}/${flag}`, forSegment(key));
    expect(await command('DeleteSegment', { key, reason: 'old' })).toEqual(['SEGMENT_IN_USE']);
    const missing = { ...definition, when: { segment: 'no-such' } };
    expect(await command('PutSegment', { key, definition: missing })).toEqual([
      'SEGMENT_REFERENCE_UNKNOWN',
    ]);
    expect(await command('DeleteSegment', { environment: 'nowhere', key, reason: 'old' })).toEqual([
      'ENVIRONMENT_UNKNOWN',
    ]);
  });

  it('that cannot be read from the topic becomes a dead letter, and nothing waits behind it', async () => {
    const key = fresh('segment');
    await service.context.bus.publish([
      {
        type: 'PutSegment',
        topic: 'flag.commands',
        key: `test/segments/${key}`,
        data: { environment: 'test', key, definition: { when: { attribute: 'plan' } } },
        metadata: { id: key, source: 'ci', at: systemClock.now(), actor: 'ci', correlationId: key },
      },
    ]);
    const definition = { members: [], excluded: [], tags: [] };
    expect(await command('PutSegment', { key, definition })).toEqual(['changed']);
    const letters = await service.get('/v1/bus/dead-letters');
    expect(letters.text).toContain(`test/segments/${key}`);
  });
});

describe('a flag', () => {
  const after = (flag: string, variants = ['on']) => ({
    ...flagBody,
    prerequisites: [{ flag, variants }],
  });

  it('refers only to flags and variants that are there', async () => {
    const [parent, key] = [fresh('flag'), fresh('flag')];
    const unknown = await service.put(`${flags}/${key}`, after(parent));
    expect([unknown.status, unknown.body['code']]).toEqual([422, 'FLAG_REFERENCE_UNKNOWN']);
    expect(unknown.text).toContain(`prerequisites.0.flag: there is no flag ${parent} in test`);
    await service.put(`${flags}/${parent}`, flagBody);
    const variant = await service.put(`${flags}/${key}`, after(parent, ['on', 'blue']));
    expect(variant.text).toContain(
      `flag ${parent} has no variant \\"blue\\"; expected one of on, off`,
    );
    expect((await service.put(`${flags}/${key}`, after(parent))).status).toBe(200);
  });

  it('that is a prerequisite is not deleted, nor made to wait for whom it lets in', async () => {
    const [a, b, c] = [fresh('flag'), fresh('flag'), fresh('flag')];
    await service.put(`${flags}/${a}`, flagBody);
    await service.put(`${flags}/${b}`, after(a));
    await service.put(`${flags}/${c}`, after(b));
    const refused = await service.delete(`${flags}/${a}?reason=old`);
    expect([refused.status, refused.body['code']]).toEqual([409, 'FLAG_IN_USE']);
    expect(refused.text).toContain(`prerequisite of ${b}`);
    const circle = await service.put(`${flags}/${a}`, after(c));
    expect([circle.status, circle.body['code']]).toEqual([422, 'FLAG_CYCLE']);
    expect(circle.text).toContain(`${a} → ${c} → ${b} → ${a}`);
    for (const key of [c, b, a])
      expect((await service.delete(`${flags}/${key}?reason=old`)).status).toBe(200);
  });

  it('keeps the variants that others wait for', async () => {
    const [parent, key] = [fresh('flag'), fresh('flag')];
    const renamed = {
      ...flagBody,
      variants: { yes: true, off: false },
      exposure: { variant: 'yes', percentage: 0 },
    };
    await service.put(`${flags}/${parent}`, flagBody);
    await service.put(`${flags}/${key}`, after(parent));
    const refused = await service.put(`${flags}/${parent}`, renamed);
    expect([refused.status, refused.body['code']]).toEqual([409, 'FLAG_VARIANT_IN_USE']);
    expect(refused.text).toContain(`${key} can only serve while ${parent} serves`);
    await service.put(`${flags}/${key}`, after(parent, ['off']));
    expect((await service.put(`${flags}/${parent}`, renamed)).status).toBe(200);
  });

  it('is restored only with segments that are still there', async () => {
    const [segment, key] = [await newSegment(), fresh('flag')];
    await service.put(`${flags}/${key}`, forSegment(segment));
    await service.put(`${flags}/${key}`, flagBody);
    await service.delete(`${segments}/${segment}?reason=old`);
    await service.idle();
    const back = { version: 1, reason: 'as before' };
    const refused = await service.post(`${flags}/${key}/restore`, back);
    expect([refused.status, refused.body['code']]).toEqual([422, 'FLAG_REFERENCE_UNKNOWN']);
  });
});
