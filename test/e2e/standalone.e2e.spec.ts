import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { start, temporaryFolder, urlsIn } from './process.ts';

jest.setTimeout(60_000);

const standalone = 'apps/standalone/dist/main.js';
const cli = 'apps/cli/dist/main.js';

const up = async (env: Record<string, string> = {}) => {
  const folder = env['DATA_DIR'] ?? join(temporaryFolder(), 'data');
  const program = start(standalone, [], { PORT_BASE: '0', ...env, DATA_DIR: folder });
  const urls = urlsIn(await program.printed('Ctrl-C stops it.'));
  const environment = Object.fromEntries(
    Object.entries(urls).map(([name, url]) => [
      `TIDEGATE_${name.toUpperCase().replaceAll('-', '_')}_URL`,
      url,
    ]),
  );
  const tidegate = async (...args: string[]) => {
    const command = start(cli, args, { DATA_DIR: folder, ...environment });
    return { code: await command.ended(), output: command.output() };
  };
  return { program, folder, urls, tidegate, environment };
};

describe('standalone', () => {
  it('starts five services, keeps what it was told over a kill -9, and stops with 0 on Ctrl-C', async () => {
    const first = await up();
    expect(Object.keys(first.urls).sort()).toEqual([
      'audit-sink',
      'flag-service',
      'metrics-gatekeeper',
      'migration-runner',
      'notifier',
    ]);
    const key = readFileSync(join(first.folder, 'admin.key'), 'utf8').trim();
    const flagService = first.urls['flag-service'] ?? '';
    const put = (path: string, body: unknown) =>
      fetch(`${flagService}${path}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await put('/v1/environments/production', {})).status).toBe(200);
    const definition = join(first.folder, 'flag.json');
    writeFileSync(
      definition,
      JSON.stringify({
        type: 'boolean',
        variants: { on: true, off: false },
        defaultVariant: 'off',
        offVariant: 'off',
        exposure: { variant: 'on', percentage: 12.5 },
      }),
    );
    expect(await first.tidegate('flag', 'set', 'checkout-v2', definition)).toMatchObject({
      code: 0,
    });
    first.program.signal('SIGKILL');
    await first.program.ended();

    const second = await up({ DATA_DIR: first.folder });
    const got = await second.tidegate('flag', 'get', 'checkout-v2', '--json');
    expect(JSON.parse(got.output)).toMatchObject({
      key: 'checkout-v2',
      flag: { definition: { exposure: { percentage: 12.5 } } },
    });
    second.program.signal('SIGINT');
    expect(await second.program.ended()).toBe(0);
  });

  it('says who has the folder when it is started twice on it', async () => {
    const { folder, tidegate } = await up();
    const again = start(standalone, [], { DATA_DIR: folder, PORT_BASE: '0' });
    expect(await again.ended()).toBe(1);
    expect(again.output()).toContain(folder);
    expect(again.output()).toMatch(/another process|in use/i);
    expect((await tidegate('flag', 'list')).code).toBe(0);
  });

  it('names the port and the option when the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const program = start(standalone, [], {
      DATA_DIR: join(temporaryFolder(), 'data'),
      PORT_BASE: String(port - 4),
    });
    expect(await program.ended()).toBe(1);
    taken.close();
    expect(program.output()).toContain(String(port));
    expect(program.output()).toContain('PORT_BASE');
  });

  it.each([
    ['a folder that is not its own', 'notes.txt', 'mine', 'not a data folder'],
    ['a folder of another version', 'format', '99\n', 'format 99'],
  ])('does not touch %s', async (_what, name, text, said) => {
    const folder = join(temporaryFolder(), 'data');
    mkdirSync(folder);
    writeFileSync(join(folder, name), text);
    const program = start(standalone, [], { DATA_DIR: folder, PORT_BASE: '0' });
    expect(await program.ended()).toBe(1);
    expect(program.output()).toContain(said);
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  });

  it('says all wrong options at once', async () => {
    const program = start(standalone, [], {
      DATA_DIR: join(temporaryFolder(), 'data'),
      PORT_BASE: 'high',
      LOG_LEVEL: 'loud',
    });
    expect(await program.ended()).toBe(1);
    expect(program.output()).toContain('PORT_BASE');
    expect(program.output()).toContain('LOG_LEVEL');
  });
});

describe('tidegate', () => {
  it('tells every problem of a plan with its line, and ends with 1', async () => {
    const file = join(temporaryFolder(), 'plan.yaml');
    writeFileSync(
      file,
      'plan: demo\nflag: x\nguards:\n  - name: errors\n    judge: sequential\n    metric: nothing\n    limit: 300%\nsteps:\n  - stage: canary\n    percentage: 10\n    hold: soon\n',
    );
    const program = start(cli, ['plan', 'validate', file]);
    expect(await program.ended()).toBe(1);
    expect(program.output()).toContain(`${file}:6:`);
    expect(program.output()).toContain(`${file}:7:`);
    expect(program.output()).toContain(`${file}:11:`);
  });

  it.each([
    [['flag', 'get'], 2],
    [['no-such-command'], 2],
    [['bus', 'lag', '--service', 'kettle'], 2],
    [['--help'], 0],
  ])('%j ends with %i', async (args, code) => {
    const program = start(cli, args);
    expect(await program.ended()).toBe(code);
  });

  it('says what is missing without a key, and which address does not answer', async () => {
    const without = start(cli, ['flag', 'list'], { DATA_DIR: temporaryFolder() });
    expect(await without.ended()).toBe(1);
    expect(without.output()).toContain('TIDEGATE_KEY');
    const alone = start(cli, ['flag', 'list'], {
      TIDEGATE_KEY: 'x',
      TIDEGATE_HOST: 'http://127.0.0.1:1',
    });
    expect(await alone.ended()).toBe(1);
    expect(alone.output()).toContain('flag-service does not answer');
  });

  it('shows the service’s own words for a wrong key, a role too low, an unknown flag', async () => {
    const { tidegate, environment, folder } = await up();
    const unknown = await tidegate('flag', 'get', 'nothing');
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.output).toMatch(/no environment production|no flag nothing/);
    const wrong = start(cli, ['flag', 'list'], {
      ...environment,
      DATA_DIR: folder,
      TIDEGATE_KEY: 'wrong',
    });
    expect(await wrong.ended()).toBe(1);
    expect(wrong.output()).toMatch(/key/i);
  });
});
