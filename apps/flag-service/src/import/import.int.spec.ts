import { beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { flagService } from '../index.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService(flagService);
  await service.put('/v1/environments/test', { description: 'for specs' });
});

const banner = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const targeted = { ...banner, targeting: { if: [{ '===': [{ var: 'team' }, 'web'] }, 'on'] } };
const path = (dryRun = false) =>
  `/v1/environments/test/import?format=flagd${dryRun ? '&dryRun=true' : ''}`;
const imported = async (flags: object, dryRun = false) => {
  const { status, body } = await service.post(path(dryRun), { flags });
  expect(status).toBe(200);
  return (body as { flags: unknown }).flags;
};
const served = async (key: string, context: object) =>
  (await service.post(`/environments/test/ofrep/v1/evaluate/flags/${key}`, { context })).body;

describe('an import of flags of flagd', () => {
  it('says in a dry run what would come of each flag, and writes nothing', async () => {
    const flags = { dryBanner: targeted, dryClock: { ...banner, targeting: { var: 'colour' } } };
    const expected = [
      { key: 'dryBanner', result: 'created' },
      {
        key: 'dryClock',
        result: 'not-expressible',
        problems: [{ where: 'targeting.var', what: '"var" would name the variant' }],
      },
    ];
    expect(await imported(flags, true)).toEqual(expected);
    expect(await imported(flags, true)).toEqual(expected);
    expect((await service.get('/v1/environments/test/flags/dryBanner')).status).toBe(404);
  });

  it('creates flags that answer as they did, under the keys that programs ask for', async () => {
    expect(await imported({ newBanner: targeted })).toEqual([
      { key: 'newBanner', result: 'created', version: 1 },
    ]);
    expect(await served('newBanner', { team: 'web' })).toMatchObject({
      value: true,
      variant: 'on',
    });
    expect(await served('newBanner', { team: 'shop' })).toMatchObject({ variant: 'off' });
  });

  it('changes what is other than in flagd, and nothing the second time', async () => {
    await imported({ changing: banner });
    expect(await imported({ changing: { ...banner, defaultVariant: 'on' } }, true)).toEqual([
      {
        key: 'changing',
        result: 'changed',
        differences: [
          { field: 'defaultVariant', before: 'off', after: 'on' },
          expect.objectContaining({ field: 'exposure' }),
        ],
      },
    ]);
    expect(await imported({ changing: banner })).toEqual([
      { key: 'changing', result: 'unchanged', version: 1 },
    ]);
  });

  it('what is off in flagd is off from its first version on, and programs get the default they ask with', async () => {
    expect(await imported({ offFlag: { ...banner, state: 'DISABLED' } })).toEqual([
      { key: 'offFlag', result: 'created', disabled: true, version: 1 },
    ]);
    const answer = await served('offFlag', {});
    expect(answer).toMatchObject({ reason: 'DISABLED' });
    expect(answer).not.toHaveProperty('value');
  });

  it('turns off what has been turned off in flagd since, before it is changed', async () => {
    await imported({ fading: banner });
    const off = { ...banner, state: 'DISABLED', defaultVariant: 'on' };
    expect(await imported({ fading: off })).toMatchObject([
      { result: 'changed', disabled: true, version: 3 },
    ]);
    const { body } = await service.get('/v1/environments/test/flags/fading/history');
    expect(body).toMatchObject({
      items: [{ type: 'FlagChanged' }, { type: 'FlagDisabled' }, { type: 'FlagCreated' }],
    });
  });

  it('never turns on what is off here', async () => {
    await imported({ killed: banner });
    await service.post('/v1/environments/test/flags/killed/disable', { reason: 'on fire' });
    expect(await imported({ killed: banner })).toMatchObject([
      { result: 'unchanged', disabled: true },
    ]);
    expect(await served('killed', {})).toMatchObject({ reason: 'DISABLED' });
  });

  it('refuses, flag by flag, what any other write would be refused', async () => {
    const variants = { on: 'x'.repeat(70_000), off: '' };
    const flags = { tooLarge: { ...banner, variants }, fine: banner };
    for (const dryRun of [true, false])
      expect(await imported(flags, dryRun)).toMatchObject([
        { key: 'tooLarge', result: 'refused', code: expect.stringMatching(/^[A-Z_]+$/) },
        { key: 'fine', result: 'created' },
      ]);
  });

  it('counts the results', async () => {
    const { body } = await service.post(path(true), { flags: { one: banner, two: {} } });
    expect(body).toMatchObject({
      environment: 'test',
      dryRun: true,
      counts: { created: 1, changed: 0, unchanged: 0, 'not-expressible': 1, refused: 0 },
    });
  });

  it.each([
    ['no file of flagd', path(), {}, 400],
    [
      'more flags than it takes at once',
      path(),
      { flags: Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`f${i}`, banner])) },
      400,
    ],
    ['a format it does not know', '/v1/environments/test/import?format=csv', { flags: {} }, 400],
    [
      'an environment that there is not',
      '/v1/environments/nowhere/import?format=flagd',
      { flags: {} },
      404,
    ],
  ])('refuses %s', async (_what, url, body, status) => {
    expect(await service.post(url, body)).toMatchObject({ status });
  });
});
