import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { booleanFlag, cli, makeFlags, openHouse, type Standalone } from './house.ts';
import { start, temporaryFolder } from './process.ts';

jest.setTimeout(60_000);

const FLAG = '/v1/environments/production/flags/checkout-v2';
const KEYS = [
  ['viewer', ['*']],
  ['operator', ['staging']],
] as const;

let house: Standalone;
const keys: Record<string, string> = {};

beforeAll(async () => {
  const file = join(temporaryFolder(), 'keys');
  const lines: string[] = [];
  for (const [role, environments] of KEYS) {
    await using made = start(cli, [
      'key',
      'new',
      role,
      '--role',
      role,
      '--env',
      ...environments,
      '--json',
    ]);
    expect(await made.ended()).toBe(0);
    const { key, line } = JSON.parse(made.output()) as { key: string; line: string };
    keys[role] = key;
    lines.push(line);
  }
  writeFileSync(file, `${lines.join('\n')}\n`);
  house = await openHouse({ API_KEYS_FILE: file });
  await makeFlags(house, 'checkout-v2');
});
afterAll(() => house.program.kill());

const malformed = [
  'plan: demo',
  'flag: x',
  'guards:',
  '  - name: errors',
  '    judge: sequential',
  '    metric: nothing',
  '    limit: 300%',
  'steps:',
  '  - stage: canary',
  '    percentage: 10',
  '    hold: soon',
  '    patience: none',
].join('\n');

describe('a request that is not right', () => {
  it.each([
    ['without a key', { key: null }, 401, 'AUTH_KEY_MISSING'],
    ['with a wrong key', { key: 'tg_operator_wrong' }, 401, 'AUTH_KEY_UNKNOWN'],
    ['with a role too low', { key: 'viewer' }, 403, 'AUTH_ROLE_TOO_LOW'],
    ['of another environment', { key: 'operator' }, 403, 'AUTH_ENVIRONMENT_FORBIDDEN'],
    ['with a body too large', { description: 'x'.repeat(1_200_000) }, 413, 'BODY_TOO_LARGE'],
    ['for an older version', { ifMatch: '"1.77"' }, 412, 'FLAG_VERSION_CONFLICT'],
  ])('%s is refused, and changes nothing', async (_what, asked, status, code) => {
    const { key, description, ifMatch } = asked as Record<string, string | null>;
    const before = await house.ask('GET', 'flag-service', FLAG);
    const answer = await house.ask('PUT', 'flag-service', FLAG, {
      body: { ...booleanFlag(100), ...(description ? { description } : {}) },
      headers: ifMatch ? { 'if-match': ifMatch } : {},
      ...(key === undefined ? {} : { key: key === null ? null : (keys[key] ?? key) }),
    });
    expect(answer).toMatchObject({ status, body: { code, status, detail: expect.any(String) } });
    expect(await house.ask('GET', 'flag-service', FLAG)).toEqual(before);
  });

  it('with wrong types is told every field, and what was expected there', async () => {
    const { status, body } = await house.ask('PUT', 'flag-service', FLAG, {
      body: { ...booleanFlag(0), variants: 'on', exposure: { variant: 1, percentage: 'much' } },
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'REQUEST_INVALID' });
    const pointers = (body['errors'] as { pointer: string; detail: string }[]).map(
      ({ pointer }) => pointer,
    );
    expect(pointers.sort()).toEqual(['#/exposure/percentage', '#/exposure/variant', '#/variants']);
  });

  it.each([
    ['application/json', '{"type":', 400, 'BODY_NOT_JSON'],
    ['application/xml', '<flag/>', 415, 'BODY_TYPE_UNSUPPORTED'],
  ])('with a body of %s that cannot be read is refused', async (type, body, status, code) => {
    const response = await fetch(`${house.urls['flag-service']}${FLAG}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${house.adminKey}`, 'content-type': type },
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  it.each([
    ['GET', 'flag-service', '/v1/environments/production/flags/nothing', 'FLAG_UNKNOWN'],
    ['GET', 'flag-service', '/v1/environments/nowhere/flags/checkout-v2', 'ENVIRONMENT_UNKNOWN'],
    ['GET', 'flag-service', '/v1/kettles', 'ROUTE_UNKNOWN'],
    ['GET', 'metrics-gatekeeper', '/v1/rollouts/r-none', 'ROLLOUT_UNKNOWN'],
    ['GET', 'metrics-gatekeeper', '/v1/plans/none', 'PLAN_UNKNOWN'],
    ['GET', 'migration-runner', '/v1/runs/none', 'RUN_UNKNOWN'],
    ['GET', 'audit-sink', '/v1/records/999999/proof', 'RECORD_UNKNOWN'],
    ['GET', 'notifier', '/v1/notifications/none', 'NOTIFICATION_UNKNOWN'],
  ])('%s %s%s names what is not there', async (method, service, path, code) => {
    expect(await house.ask(method, service, path)).toMatchObject({ status: 404, body: { code } });
  });

  it.each([
    [{ plan: 'none', environment: 'production' }, 404, 'PLAN_UNKNOWN'],
    [{ plan: 7 }, 400, 'REQUEST_INVALID'],
  ])('to start %j is refused', async (body, status, code) => {
    const answer = await house.ask('POST', 'metrics-gatekeeper', '/v1/rollouts', { body });
    expect(answer).toMatchObject({ status, body: { code } });
  });

  it('to migrate by a migration that is not there is refused', async () => {
    const body = { migration: 'none', action: 'execute' };
    const answer = await house.ask('POST', 'migration-runner', '/v1/runs', { body });
    expect(answer).toMatchObject({ status: 404, body: { code: 'MIGRATION_UNKNOWN' } });
  });

  it('leaves its trace where refusals are looked for', async () => {
    await house.ask('GET', 'flag-service', FLAG, { key: 'tg_operator_stranger' });
    await eventually(async () => {
      const { body } = await house.ask<{ items: unknown[] }>(
        'GET',
        'audit-sink',
        '/v1/records?type=tidegate.audit.security-event-recorded.v1',
      );
      return body.items.length > 0;
    });
  });
});

describe('a malformed plan', () => {
  it('is refused with each problem’s line and what was expected, and makes no version', async () => {
    const { status, body } = await house.ask('PUT', 'metrics-gatekeeper', '/v1/plans/demo', {
      body: malformed,
    });
    expect(status).toBe(422);
    const lines = (body['errors'] as { line: number }[]).map(({ line }) => line);
    expect(lines).toEqual([6, 7, 11, 12]);
    expect(await house.ask('GET', 'metrics-gatekeeper', '/v1/plans/demo')).toMatchObject({
      status: 404,
    });
  });

  it('is told by the command line too, file and line first, and ends with 1', async () => {
    const file = join(temporaryFolder(), 'plan.yaml');
    writeFileSync(file, malformed);
    const { code, output } = await house.tidegate('plan', 'validate', file);
    expect(code).toBe(1);
    for (const line of [6, 7, 11, 12]) expect(output).toContain(`${file}:${line}:`);
  });

  it('that is too long is refused', async () => {
    const body = `${malformed}\n${'# more\n'.repeat(12_000)}`;
    const answer = await house.ask('PUT', 'metrics-gatekeeper', '/v1/plans/demo', { body });
    expect(answer).toMatchObject({ status: 422, body: { code: 'PLAN_INVALID' } });
  });
});

describe('tidegate', () => {
  it.each([
    [['flag', 'get'], 2],
    [['no-such-command'], 2],
    [['bus', 'lag', '--service', 'kettle'], 2],
    [['plan', 'validate', '/nowhere/plan.yaml'], 1],
    [['--help'], 0],
  ])('%j ends with %i', async (args, code) => {
    expect((await house.tidegate(...args)).code).toBe(code);
  });

  it('says what is missing without a key, and which address does not answer', async () => {
    await using without = start(cli, ['flag', 'list'], { DATA_DIR: temporaryFolder() });
    expect(await without.ended()).toBe(1);
    expect(without.output()).toContain('TIDEGATE_KEY');
    await using alone = start(cli, ['flag', 'list'], {
      TIDEGATE_KEY: 'x',
      TIDEGATE_FLAG_SERVICE_URL: 'http://127.0.0.1:1',
    });
    expect(await alone.ended()).toBe(1);
    expect(alone.output()).toContain('flag-service does not answer');
  });

  it('shows the service’s own words for an unknown flag, a wrong key, a role too low', async () => {
    const unknown = await house.tidegate('flag', 'get', 'nothing');
    expect(unknown.code).toBe(1);
    expect(unknown.output).toContain('nothing');
    for (const [key, said] of [
      ['wrong', /key/i],
      [keys['viewer'] ?? '', /role/i],
    ] as const) {
      const args = ['flag', 'disable', 'checkout-v2', '--reason', 'mine'];
      await using command = start(cli, args, { ...house.environment, TIDEGATE_KEY: key });
      expect(await command.ended()).toBe(1);
      expect(command.output()).toMatch(said);
    }
    expect(await house.ask('GET', 'flag-service', FLAG)).not.toHaveProperty('body.flag.disabled');
  });
});
