import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { addressOf } from './http/services.ts';
import { run } from './program.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0)) each();
});

type Answers = (request: IncomingMessage, response: ServerResponse) => void;
const answering =
  (status: number, body: unknown): Answers =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

interface Asked {
  readonly line: string;
  readonly key: string | undefined;
  readonly ifMatch: string | undefined;
  readonly body: string;
}

/** All services at one address; which of them was asked does not matter here. */
async function services(answers: Answers) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const body = Buffer.concat(chunks).toString();
      asked.push({
        line: `${method} ${url}`,
        key: headers.authorization,
        ifMatch: headers['if-match'],
        body,
      });
      answers(request, response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  cleanUp.push(close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const names = [
    'FLAG_SERVICE',
    'METRICS_GATEKEEPER',
    'MIGRATION_RUNNER',
    'AUDIT_SINK',
    'NOTIFIER',
  ];
  const env = Object.fromEntries(names.map((name) => [`TIDEGATE_${name}_URL`, url]));
  return { asked, close, url, env: { ...env, TIDEGATE_KEY: 'tg_admin_1' } };
}

async function tidegate(
  env: Record<string, string>,
  args: readonly string[],
  signal = new AbortController().signal,
  answer?: string,
) {
  let out = '';
  let error = '';
  const code = await run(args, {
    env,
    signal,
    version: '1.2.3',
    random: (bytes) => new Uint8Array(bytes),
    write: (text) => void (out += text),
    ...(answer === undefined ? {} : { ask: () => Promise.resolve(answer) }),
    writeError: (text) => void (error += text),
  });
  return { code, out, error };
}

const file = (text: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-cli-'));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'input'), text);
  return join(folder, 'input');
};

describe('a signal', () => {
  it('is reported with what it says, and known again by its id', async () => {
    const { env, asked } = await services((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.writeHead(202).end(JSON.stringify({ id: request.headers['idempotency-key'] }));
    });
    const labels = ['--label', 'area=cart', '-l', 'query=a=b'];
    const words = ['complaint', '-c', '2', ...labels, '-m', 'The cart is empty', '--id', 't-9'];
    expect(await tidegate(env, ['signal', 'report', ...words, '-e', 'test'])).toMatchObject({
      code: 0,
      out: 'complaint in test is reported.\n',
    });
    expect(await tidegate(env, ['signal', 'report', ...words, '--json'])).toMatchObject({
      out: expect.stringContaining('"t-9"'),
    });
    expect(asked[0]?.line).toBe('POST /v1/signals');
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      environment: 'test',
      signal: 'complaint',
      count: 2,
      labels: { area: 'cart', query: 'a=b' },
      message: 'The cart is empty',
    });
  });

  it.each([
    [['-c', 'few'], 'Expected a number'],
    [['-l', 'area'], 'Expected name=value'],
    [['-l', 'area=a', '-l', 'area=b'], 'given twice'],
  ])('with %j is not understood', async (words, said) => {
    const { env, asked } = await services(answering(202, {}));
    const { code, error } = await tidegate(env, ['signal', 'report', 'complaint', ...words]);
    expect(code).toBe(2);
    expect(error).toContain(said);
    expect(asked).toEqual([]);
  });
});

describe('a refusal', () => {
  const refused = (detail: string, errors?: object[]) =>
    answering(400, { title: 'Request invalid', detail, code: 'REQUEST_INVALID', errors });

  it('is said once, with the place of each problem', async () => {
    const { env } = await services(
      refused('#/type: expected a type', [
        { pointer: '#/type', detail: 'expected a type' },
        { pointer: '#/exposure/percentage', detail: 'is no percentage' },
      ]),
    );
    const { code, error } = await tidegate(env, ['flag', 'set', 'x', file('{}')]);
    expect(code).toBe(1);
    expect(error).toContain('#/type: expected a type\n#/exposure/percentage: is no percentage\n');
    expect(error.match(/expected a type/g)).toHaveLength(1);
  });

  it('names the parameter', async () => {
    const { env } = await services(
      refused('key: must be lower-case', [{ parameter: 'key', detail: 'must be lower-case' }]),
    );
    const { error } = await tidegate(env, ['flag', 'get', 'X']);
    expect(error).toMatch(/^\S*✗\S* key: must be lower-case\n$/);
  });

  it('keeps its own sentence where that says more', async () => {
    const { env } = await services(
      refused('The plan has 2 problems.', [{ line: 3, pointer: 'flag', detail: 'is missing' }]),
    );
    const { error } = await tidegate(env, ['rollout', 'start', 'demo']);
    expect(error).toContain('The plan has 2 problems.\n  line 3 flag: is missing\n');
  });

  it('is one JSON object with --json', async () => {
    const { env } = await services(refused('No.'));
    const { code, out, error } = await tidegate(env, ['flag', 'get', 'x', '--json']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(JSON.parse(error)).toEqual({
      error: { code: 'REQUEST_INVALID', message: 'No.', status: 400 },
    });
  });
});

describe('flags', () => {
  it('are listed by what is asked for', async () => {
    const { asked, env } = await services(answering(200, { items: [] }));
    const filters = ['--search', 'a b', '--tag', 'x', '--state', 'disabled', '--held-by', 'r-1'];
    const { out } = await tidegate(env, ['flag', 'list', ...filters]);
    expect(asked[0]?.line).toBe(
      'GET /v1/environments/production/flags?q=a+b&tag=x&state=disabled&heldBy=r-1&limit=200',
    );
    expect(stripVTControlCharacters(out)).toBe('No flag is all of that in production.\n');
    await tidegate(env, ['flag', 'stale', '-e', 'staging']);
    expect(asked[1]?.line).toBe('GET /v1/environments/staging/flags?stale=true&limit=200');
  });

  it('are turned off together, and exits with 1 when one of them is not', async () => {
    const items = [
      { key: 'a', outcome: 'changed', published: false },
      { key: 'b', outcome: 'refused', message: 'There is no flag b in production.' },
    ];
    const { asked, env } = await services(answering(200, { items }));
    const { code, out, error } = await tidegate(env, ['flag', 'disable', 'a', 'b', '-r', 'down']);
    expect(asked).toMatchObject([
      {
        line: 'POST /v1/environments/production/flags/disable',
        body: '{"keys":["a","b"],"reason":"down"}',
      },
    ]);
    expect(code).toBe(1);
    expect(stripVTControlCharacters(out)).toContain('There is no flag b in production.');
    expect(error).toContain('Not disabled: b. All others are off.');
    await tidegate(env, ['flag', 'disable', '--tag', 'payments', '-r', 'down']);
    expect(asked[1]?.body).toBe('{"tag":"payments","reason":"down"}');
    expect((await tidegate(env, ['flag', 'disable', '-r', 'down'])).code).toBe(2);
  });

  it('are scheduled only with a time and a reason', async () => {
    const flag = { definition: { variants: {}, exposure: {}, allowedUsers: [] } };
    const { asked, env } = await services(answering(200, { key: 'x', flag }));
    const schedule = ['flag', 'schedule', 'x'];
    for (const wrong of [[], ['--enable', '2026-12-01T08:00:00Z'], ['--clear', '--enable', 'x']])
      expect((await tidegate(env, [...schedule, ...wrong])).code).toBe(2);
    expect(asked).toEqual([]);
    const at = '2026-12-01T08:00:00Z';
    await tidegate(env, [...schedule, '--disable', at, '-r', 'the end', '--if-version', '1.4']);
    await tidegate(env, [...schedule, '--clear']);
    expect(asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      [{ at, change: 'disable', reason: 'the end' }],
      [],
    ]);
  });

  it('explain themselves, also when they cannot be evaluated', async () => {
    const { env } = await services(
      answering(400, { key: 'x', errorCode: 'GENERAL', errorDetails: 'There is no segment beta.' }),
    );
    const { code, error } = await tidegate(env, ['flag', 'explain', 'x', '-c', '{"plan":"pro"}']);
    expect([code, error]).toEqual([1, expect.stringContaining('There is no segment beta.')]);
    expect((await tidegate(env, ['flag', 'explain', 'x', '-c', '{'])).code).toBe(2);
  });

  it('say on how many instances they are in force, and name the others', async () => {
    const instance = { application: 'shop', instance: 'shop-2', version: 3, ageMs: 900 };
    const rest = { version: 4, heard: 2, slowestMs: 340 };
    const late = await services(answering(200, { ...rest, live: 1, instances: [instance] }));
    const { out } = await tidegate(late.env, ['flag', 'applied', 'x']);
    expect(stripVTControlCharacters(out)).toMatch(
      /^Version 4 of x is in force on 1 of 2 instances, slowest 340ms\.\n[^]*shop +shop-2 +3 +900ms ago/,
    );
    const all = await services(answering(200, { ...rest, live: 2, instances: [] }));
    expect((await tidegate(all.env, ['flag', 'applied', 'x'])).out.split('\n')).toHaveLength(2);
  });

  it.each(['flag', 'segment'])(
    'of which a %s has a history that can be gone back in',
    async (noun) => {
      const item = { version: 2, at: 0, by: 'alex', type: 'FlagChanged', reason: 'more' };
      const changes = [{ path: 'owner', before: 'a', after: 'b' }];
      const { asked, env } = await services(answering(200, { items: [{ ...item, changes }] }));
      const { out } = await tidegate(env, [noun, 'history', 'x', '-n', '5']);
      expect(stripVTControlCharacters(out)).toMatch(/2 +1970-01-01 00:00:00Z +alex +changed +more/);
      expect(out).toContain('owner a → b');
      await tidegate(env, [noun, 'restore', 'x', '1', '-r', 'back']);
      expect(asked).toMatchObject([
        { line: `GET /v1/environments/production/${noun}s/x/history?limit=5` },
        {
          line: `POST /v1/environments/production/${noun}s/x/restore`,
          body: '{"version":1,"reason":"back"}',
        },
      ]);
    },
  );

  it('are copied only in words with --dry-run', async () => {
    const changes = [{ path: 'exposure.percentage', before: 10, after: 50 }];
    const { asked, env } = await services(answering(200, { isNew: false, changes }));
    const copy = ['flag', 'copy', 'x', '--from', 'staging', '--to', 'production', '-r', 'proven'];
    const { out } = await tidegate(env, [...copy, '--dry-run']);
    expect(asked[0]).toMatchObject({
      line: 'POST /v1/environments/staging/flags/x/copy',
      body: '{"to":"production","dryRun":true,"reason":"proven"}',
    });
    expect(stripVTControlCharacters(out)).toMatch(
      /x in production \(nothing was changed\):[^]*exposure\.percentage +10 +50/,
    );
  });
});

describe('an import of flags', () => {
  const report = {
    environment: 'production',
    dryRun: true,
    counts: { created: 1, changed: 0, unchanged: 0, 'not-expressible': 1, refused: 0 },
    flags: [
      { key: 'newBanner', result: 'created', disabled: true },
      {
        key: 'clock',
        result: 'not-expressible',
        problems: [{ where: 'targeting.if[0]', what: 'the time of evaluation decides' }],
      },
    ],
  };

  it('shows what would come of each flag, and fails if one would be left out', async () => {
    const { asked, env } = await services(answering(200, report));
    const args = ['flag', 'import', file('{"flags":{}}'), '--format', 'flagd', '--dry-run'];
    const { code, out, error } = await tidegate(env, args);
    expect(asked).toMatchObject([
      {
        line: 'POST /v1/environments/production/import?format=flagd&dryRun=true',
        body: '{"flags":{}}',
      },
    ]);
    expect(out).toMatch(/newBanner +created +off/);
    expect(out).toMatch(/clock +not-expressible +targeting.if\[0\]: the time of evaluation/);
    expect(code).toBe(1);
    expect(error).toContain('1 of 2 flags would not be imported.');
  });

  it('needs to be told the format', async () => {
    const { env } = await services(answering(200, report));
    expect(await tidegate(env, ['flag', 'import', file('{}')])).toMatchObject({ code: 2 });
  });
});

describe('a comparison with another server', () => {
  const bulk = (value: boolean) => ({ flags: [{ key: 'newBanner', value, variant: 'on' }] });

  it('agrees, or says what differs for whom', async () => {
    const there = await services(answering(200, bulk(true)));
    for (const [value, expected, text] of [
      [true, 0, 'All 2 answers agree.'],
      [false, 1, '{"targetingKey":"ann"}'],
    ] as const) {
      const here = await services(answering(200, bulk(value)));
      const keys = file('["ann", { "targetingKey": "bob", "team": "web" }]');
      const { code, out } = await tidegate(here.env, [
        'flag',
        'compare',
        keys,
        '--with',
        there.url,
      ]);
      expect(code).toBe(expected);
      expect(out).toContain(text);
      expect(here.asked.map(({ line, body }) => `${line} ${body}`)).toEqual([
        'POST /environments/production/ofrep/v1/evaluate/flags {"context":{"targetingKey":"ann"}}',
        'POST /environments/production/ofrep/v1/evaluate/flags {"context":{"targetingKey":"bob","team":"web"}}',
      ]);
    }
  });
});

describe('what is asked', () => {
  it('goes to the named flag of the named environment, with the key', async () => {
    const { asked, env } = await services(answering(404, { detail: 'There is none.' }));
    await tidegate({ ...env, TIDEGATE_KEY: ' tg_admin_1\n' }, ['flag', 'get', 'a/b', '-e', 'x.y']);
    expect(asked).toEqual([
      { line: 'GET /v1/environments/x.y/flags/a%2Fb', key: 'Bearer tg_admin_1', body: '' },
    ]);
  });

  it('makes an environment, and does not take the description from one that is there', async () => {
    const items = [{ environment: 'staging', description: 'for trying' }];
    const { asked, env } = await services(answering(200, { items }));
    const create = ['environment', 'create'];
    await tidegate(env, [...create, 'staging']);
    await tidegate(env, [...create, 'production', '-d', 'where it counts']);
    const puts = asked.filter(({ line }) => line.startsWith('PUT'));
    expect(puts).toMatchObject([
      { line: 'PUT /v1/environments/production', body: '{"description":"where it counts"}' },
    ]);
  });

  it('reads every page of a list', async () => {
    const { asked, env } = await services((request, response) => {
      const isSecond = request.url?.includes('after=b');
      const body = isSecond
        ? { items: [{ environment: 'c' }] }
        : { items: [{ environment: 'a' }, { environment: 'b' }], next: 'b' };
      answering(200, body)(request, response);
    });
    const { out } = await tidegate(env, ['environment', 'list', '--json']);
    expect(JSON.parse(out)).toEqual({
      items: [{ environment: 'a' }, { environment: 'b' }, { environment: 'c' }],
    });
    expect(asked).toHaveLength(2);
  });
});

it.each(['disable', 'enable', 'release'])('asks to %s a flag, with the reason', async (verb) => {
  const definition = { exposure: { variant: 'on', percentage: 10 }, allowedUsers: [] };
  const { asked, env } = await services(answering(200, { key: 'x', flag: { definition } }));
  const { code } = await tidegate(env, ['flag', verb, 'x', '-e', 'test', '-r', 'by hand']);
  expect(code).toBe(0);
  expect(asked).toMatchObject([
    { line: `POST /v1/environments/test/flags/x/${verb}`, body: '{"reason":"by hand"}' },
  ]);
});

it('exposes a flag as it is now to more, and only that version of it', async () => {
  const definition = { type: 'boolean', exposure: { variant: 'on', percentage: 10, by: 'team' } };
  const flag = {
    key: 'x',
    epoch: 1,
    version: 4,
    flag: { definition: { ...definition, allowedUsers: [] } },
  };
  const { asked, env } = await services(answering(200, flag));
  expect(await tidegate(env, ['flag', 'expose', 'x', '0.5%', '-r', 'wide'])).toMatchObject({
    code: 0,
  });
  expect(asked.map(({ line, ifMatch }) => [line, ifMatch])).toEqual([
    ['GET /v1/environments/production/flags/x', undefined],
    ['PUT /v1/environments/production/flags/x', '"1.4"'],
  ]);
  expect(JSON.parse(asked[1]?.body ?? '')).toEqual({
    ...definition,
    allowedUsers: [],
    exposure: { variant: 'on', percentage: 0.5, by: 'team' },
    reason: 'wide',
  });
});

it.each([
  [['flag', 'get']],
  [['flag', 'get', 'x', 'y']],
  [['flag', 'disable', 'x']],
  [['flag', 'expose', 'x', 'half']],
  [['rollout', 'start', 'demo', '--plan-version', 'two']],
  [['migration', 'run', 'm', '--execute', '--verify']],
  [['migration', 'run', 'm', '--dry-run', '--cleanup']],
  [['migration', 'run', 'm', '--batch-size=0']],
  [['migration', 'run', 'm', '--execute', '--on-error=ignore']],
  [['migration', 'run', 'm', '--execute', '--nice-ratio=-1']],
  [['migration', 'run', 'm', '--execute', '--window=night']],
  [['migration', 'revert', 'm-1']],
  [['bus', 'lag', '-s', 'postman']],
  [['key', 'new', 'ci', '--role', 'god']],
  [['nothing']],
  [[]],
])('asks nobody and exits with 2 for %j', async (args) => {
  const { asked, env } = await services(answering(200, {}));
  expect(await tidegate(env, args)).toMatchObject({ code: 2, out: '' });
  expect(asked).toEqual([]);
});

it.each([
  [{ TIDEGATE_FLAG_SERVICE_URL: 'ftp://x' }, 2, 'TIDEGATE_FLAG_SERVICE_URL must be an http'],
  [{ TIDEGATE_FLAG_SERVICE_URL: 'http://me:hunter2@x' }, 2, 'without a password'],
  [{ TIDEGATE_KEY: 'hunter2\nx' }, 1, 'The API key has spaces, line breaks'],
  [{ TIDEGATE_KEY: '', DATA_DIR: '/nowhere' }, 1, '/nowhere/admin.key is not there'],
  [
    { TIDEGATE_FLAG_SERVICE_URL: 'http://127.0.0.1:1' },
    1,
    'does not answer at http://127.0.0.1:1: ',
  ],
])('says what is wrong with %j, and no secret', async (wrong, exit, why) => {
  const { env } = await services(answering(200, {}));
  const { code, error } = await tidegate({ ...env, ...wrong }, ['flag', 'get', 'x']);
  expect(code).toBe(exit);
  expect(error).toContain(why);
  expect(error).not.toContain('hunter2');
});

it.each([
  [{ TIDEGATE_HOST: 'localhost', PORT_BASE: '17400' }, 'http://localhost:17401'],
  [{ TIDEGATE_HOST: 'https://flags.example' }, 'https://flags.example:7401'],
  [{}, 'http://127.0.0.1:7401'],
])('looks for flag-service at the host and port of %j', (env, address) => {
  expect(addressOf('flag-service', env)).toBe(address);
});

describe('Ctrl-C', () => {
  it('ends a command whose service does not answer', async () => {
    const { asked, env } = await services(() => {});
    const stop = new AbortController();
    const command = tidegate(env, ['flag', 'get', 'x'], stop.signal);
    await eventually(() => asked.length === 1);
    stop.abort();
    expect(await command).toEqual({ code: 1, out: '', error: '' });
  });
});

describe('an approval', () => {
  const waiting = { id: 'r-1', step: 'review', status: 'holding' };
  const approve = ['rollout', 'approve', 'r-1', '-r', 'looks right'];
  const gatekeeper =
    (rollout: object, report = 200): Answers =>
    ({ url = '' }, response) => {
      if (!url.startsWith('/v1/runs/')) return answering(200, rollout)({} as never, response);
      response.writeHead(report, { 'content-type': 'text/markdown' }).end('# 7 would change');
    };
  const asking = { ...waiting, dryRun: { step: 'totals/plan', run: 'r-1.0.0' } };

  it('shows the report of the dry run before it', async () => {
    const { asked, env } = await services(gatekeeper(asking));
    const { code, out } = await tidegate(env, approve);
    expect([code, out]).toEqual([0, expect.stringContaining('# 7 would change')]);
    expect(asked.map(({ line }) => line)).toEqual([
      'GET /v1/rollouts/r-1',
      'GET /v1/runs/r-1.0.0/report?format=markdown',
      'POST /v1/rollouts/r-1/approve',
    ]);
    expect(JSON.parse(asked.at(-1)?.body ?? '')).toEqual({ reason: 'looks right', step: 'review' });
  });

  it.each([
    ['no', 1, false],
    ['yes', 0, true],
  ])('asks whoever has read it on a terminal: %s', async (answer, exit, isGiven) => {
    const { asked, env } = await services(gatekeeper(asking));
    const signal = new AbortController().signal;
    expect((await tidegate(env, approve, signal, answer)).code).toBe(exit);
    expect(asked.some(({ line }) => line.startsWith('POST'))).toBe(isGiven);
  });

  it('is not given while the report cannot be had', async () => {
    const { asked, env } = await services(gatekeeper(asking, 404));
    expect((await tidegate(env, approve)).code).toBe(1);
    expect(asked.some(({ line }) => line.startsWith('POST'))).toBe(false);
  });

  it('needs no report where nothing was planned', async () => {
    const { asked, env } = await services(gatekeeper(waiting));
    expect((await tidegate(env, approve, undefined, 'no')).code).toBe(0);
    expect(asked).toHaveLength(2);
  });
});

describe('a migration run', () => {
  it('goes on when nobody watches it any more, and says how to stop it', async () => {
    const { asked, env } = await services(answering(200, { ...body, status: 'running' }));
    const stop = new AbortController();
    const command = tidegate(env, ['migration', 'run', 'totals'], stop.signal);
    await eventually(() => asked.length > 1);
    stop.abort();
    expect(await command).toMatchObject({
      code: 1,
      error: expect.stringContaining(
        'm-1 goes on: tidegate migration show m-1 --watch, or pause, or cancel.',
      ),
    });
  });

  it('is cancelled with a reason', async () => {
    const { asked, env } = await services(answering(200, { ...body, status: 'cancelled' }));
    const { out } = await tidegate(env, ['migration', 'cancel', 'm-1', '-r', 'enough']);
    expect(out).toBe('m-1 is cancelled.\n');
    expect(asked).toMatchObject([
      { line: 'POST /v1/runs/m-1/cancel', body: '{"reason":"enough"}' },
    ]);
  });

  const body = { run: 'm-1', migration: 'totals', action: 'plan', counts: { changed: 0 } };

  it.each([
    [['--dry-run'], { action: 'plan' }],
    [['--plan'], { action: 'plan' }],
    [['--execute', '--batch-size=200'], { action: 'execute', batchSize: 200 }],
    [['--verify', '--sample-size=50'], { action: 'verify', sampleSize: 50 }],
    [['--backup'], { action: 'backup' }],
    [['--cutover', '-r', 'all read it'], { action: 'cutover', reason: 'all read it' }],
    [
      ['--execute', '--on-error=skip', '--max-errors=5', '--on-failure=revert'],
      { action: 'execute', onError: 'skip', maxErrors: 5, onFailure: 'revert' },
    ],
    [
      ['--execute', '--without-before-images', '--accept-change', 'a comment'],
      { action: 'execute', acceptChange: 'a comment', backup: 'none' },
    ],
    [
      ['--execute', '--nice-ratio=0.5', '--window=22:00-06:00', '--days=mon,tue'],
      {
        action: 'execute',
        flow: { niceRatio: 0.5, window: { from: '22:00', to: '06:00', days: ['mon', 'tue'] } },
      },
    ],
  ])('asks for %j', async (args, expected) => {
    const { asked, env } = await services(answering(201, { ...body, status: 'running' }));
    const { code } = await tidegate(env, ['migration', 'run', 'totals', ...args, '--detach']);
    expect(code).toBe(0);
    expect(asked.map(({ line, body: sent }) => [line, JSON.parse(sent)])).toEqual([
      ['POST /v1/runs', { migration: 'totals', ...expected }],
    ]);
  });

  it('is reverted with a reason, and waited for', async () => {
    const { asked, env } = await services(answering(200, { ...body, status: 'completed' }));
    const { code } = await tidegate(env, ['migration', 'revert', 'm-1', '-r', 'wrong totals']);
    expect(code).toBe(0);
    expect(asked).toMatchObject([
      { line: 'POST /v1/runs/m-1/revert', body: '{"reason":"wrong totals"}' },
    ]);
  });

  it('stands in the log of its migration, with who asked for it, why, and how it ended', async () => {
    const about = { run: 'm-1', action: 'execute', hash: 'sha256:77aa0123456789' };
    const items = [
      { at: 0, status: 'STARTED', ...about, by: 'ada', reason: 'new totals' },
      {
        at: 65_000,
        status: 'FAILED',
        ...about,
        counts: { changed: 4 },
        tookMs: 65_000,
        code: 'MIGRATION_UP_FAILED',
        message: 'up failed on orders 5.',
      },
    ];
    const { env } = await services(answering(200, { items }));
    const out = stripVTControlCharacters((await tidegate(env, ['migration', 'log', 'totals'])).out);
    expect(out).toMatch(
      /1970-01-01 00:00:00Z\s+STARTED\s+execute\s+m-1\s+sha256:77aa0123\s+by ada: new totals/,
    );
    expect(out).toMatch(/FAILED\s.*\s4\s+1m5s\s+MIGRATION_UP_FAILED: up failed on orders 5\./);
  });

  it('is waited for, says what holds it up, and shows its report', async () => {
    const states = [
      { ...body, status: 'running' },
      { ...body, status: 'running', waitsFor: { message: 'Another run is under way.' } },
      { ...body, status: 'paused', by: 'ada', reason: 'lunch' },
      { ...body, status: 'completed', report: { matched: 3 } },
    ];
    const { env } = await services((request, response) =>
      answering(200, states.length > 1 ? states.shift() : states[0])(request, response),
    );
    const { code, out } = await tidegate(env, ['migration', 'run', 'totals']);
    expect(code).toBe(0);
    expect(out).toContain('m-1 waits: Another run is under way.\nm-1 is paused by ada: lunch\n');
    expect(out).toContain('"matched": 3');
  });

  it('is watched from elsewhere: a line at each tenth and for what it waits, once', async () => {
    const at = (share: number) => ({ done: share * 500, expected: 500, share, perSecond: 50 });
    const throttled = { message: 'A replica is 12s behind.', since: 0 };
    const running = { ...body, action: 'execute', status: 'running' };
    const states = [
      { ...running, progress: at(0.02) },
      { ...running, progress: at(0.31) },
      { ...running, progress: at(0.33) },
      { ...running, progress: at(0.33), throttled },
      { ...running, progress: at(0.33), throttled },
      { ...running, progress: at(0.45) },
      { ...body, status: 'completed' },
    ];
    const { asked, env } = await services((request, response) =>
      answering(200, states.length > 1 ? states.shift() : states[0])(request, response),
    );
    const { code, out } = await tidegate(env, ['migration', 'show', 'm-1', '--watch']);
    expect(code).toBe(0);
    expect(asked[0]?.line).toBe('GET /v1/runs/m-1');
    expect(out.split('\n').slice(0, 3)).toEqual([
      'm-1  31.0 %  155 of 500  50/s',
      'm-1 waits: A replica is 12s behind.',
      'm-1  45.0 %  225 of 500  50/s',
    ]);
  });

  it('exits with 1 and the reason when it failed', async () => {
    const failed = { ...body, status: 'failed', message: 'orders 7 is still pending.' };
    const { env } = await services(answering(200, failed));
    const { code, out, error } = await tidegate(env, ['migration', 'run', 'totals', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ status: 'failed' });
    expect(JSON.parse(error)).toMatchObject({ error: { message: 'orders 7 is still pending.' } });
  });
});

it('proves no archive where there is none, and says where it looked', async () => {
  const { code, out } = await tidegate({}, ['audit', 'verify', '/nowhere']);
  expect(code).toBe(1);
  expect(out).toContain('There is no folder /nowhere.');
});

describe('guards', () => {
  it('are listed with what they have done, and which were never seen to fire', async () => {
    const guard = { plan: 'p', judge: 'sequential', rollouts: 3, breached: 0, heldForData: 1 };
    const items = [
      {
        ...guard,
        guard: 'errors',
        shadow: true,
        wouldHaveBreached: 2,
        hasFired: true,
        lastFiredAt: 0,
      },
      { ...guard, guard: 'latency', shadow: false, wouldHaveBreached: 0, hasFired: false },
      { plan: 'p', guard: 'gone', rollouts: 1, breached: 0, heldForData: 0, hasFired: false },
    ];
    const { asked, env } = await services(answering(200, { items }));
    const { code, out } = await tidegate(env, ['gate', '--plan', 'a b']);
    expect(code).toBe(0);
    expect(asked[0]?.line).toBe('GET /v1/guards?plan=a%20b&limit=200');
    const text = stripVTControlCharacters(out);
    expect(text).toMatch(/errors +sequential \(shadow\) +3 +0 +2 +1 +1970-01-01/);
    expect(text).toMatch(/latency +sequential +3 +0 +0 +1 +never seen to fire/);
    expect(text).toMatch(/gone +no longer in the plan/);
    const json = await tidegate(env, ['gate', 'list', '--json']);
    expect(JSON.parse(json.out)).toEqual({ items });
  });
});
