import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { flagService } from '@tidegate/flag-service';
import { startTestService, type TestService } from '@tidegate/platform/testing';
import { FakeFlagService } from '../servers/fake-flag-service.ts';
import { temporaryFolder } from './process.ts';

jest.setTimeout(60_000);

const root = join(import.meta.dirname, '../..');
const core = (file: string) => pathToFileURL(join(root, 'libs/sdk/dist', file)).href;
const folder = temporaryFolder();

/** Of the machine, not the one that comes with `npm ci`: the oldest that is still maintained, if there is one. */
function nodesOfMachine(): readonly { readonly path: string; readonly major: number }[] {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/usr/bin'];
  return places
    .filter((place) => !place.includes(`node_modules${sep}.bin`) && place !== '')
    .flatMap((place) => {
      const path = join(place, 'node');
      try {
        const major = execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' });
        return [{ path, major: Number.parseInt(major, 10) }];
      } catch {
        return []; // there is none
      }
    })
    .filter(({ major }) => major >= 20)
    .sort((a, b) => a.major - b.major);
}

/** What a program printed on its way to its own end. */
async function run(node: string, program: string, ...args: string[]): Promise<string> {
  const file = join(folder, `${Math.random()}.mjs`);
  writeFileSync(file, program);
  const { stdout, stderr } = await promisify(execFile)(node, [file, ...args], { timeout: 20_000 });
  return stdout + stderr;
}

const [oldest] = nodesOfMachine();
if (!oldest || oldest.major >= 24)
  process.stderr.write(
    'SKIPPED: the SDK on an older Node; this machine has none beside Node 24.\n',
  );
const nodes = [...(oldest ? [oldest] : []), { path: process.execPath, major: 24 }];

describe.each(nodes)('on Node $major, a program', ({ path }) => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService(flagService);
    await service.put('/v1/environments/test');
  });
  const put = async (key: string, percentage: number, rules: readonly object[] = []) => {
    const answer = await service.put(`/v1/environments/test/flags/${key}`, {
      type: 'boolean',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      offVariant: 'off',
      exposure: { variant: 'on', percentage },
      rules,
    });
    expect(answer.status).toBe(200);
  };
  /** A rule of every kind that a library stands behind. */
  const all = [
    { attribute: 'agent', operator: 'matches', value: '^Moz.*/[0-9]+' },
    { attribute: 'ip', operator: 'cidr', values: ['10.0.0.0/8'] },
    { attribute: 'app', operator: 'semver', value: '>=2.1.0' },
    { attribute: 'since', operator: 'before', value: '2030-01-01T00:00:00Z' },
  ];
  const connection = () => [service.url, service.keyOf('sdk', 'test')];

  it('asks flags of a running flag-service, streamed, polled and kept in a file, and ends by itself', async () => {
    await put('checkout-v2', 100);
    await put('by-rule', 0, [{ when: { all }, variant: 'on' }]);
    const printed = run(
      path,
      `
import { createTidegate } from '${core('tidegate.sse.js')}';
import { createFileTidegate } from '${core('tidegate.file.js')}';
const [, , url, key, file] = process.argv;
const options = { url, key, environment: 'test', application: 'old-node', pollIntervalMs: 20 };
const isOn = (flags) => flags.boolean('checkout-v2', false, { targetingKey: 'ada' });
const changed = (flags) => new Promise((resolve) => {
  flags.onFlagChanged('checkout-v2', ({ before, after }) => resolve([before.value, after.value].join('>')), { targetingKey: 'ada' });
});
const streamed = createTidegate({ ...options, bootstrap: { file, persist: true } });
const polled = createTidegate({ ...options, mode: 'poll' });
await Promise.all([streamed.ready(), polled.ready()]);
console.log(isOn(streamed), isOn(polled), streamed.status.state);
const context = { agent: 'Mozilla/5', ip: '10.1.2.3', app: '2.3.4', since: '2026-01-01T00:00:00Z' };
console.log(streamed.details('by-rule', false, context).reason, streamed.boolean('by-rule', false));
const changes = [changed(streamed), changed(polled)];
const answer = await fetch(url + '/v1/environments/test/flags/checkout-v2/disable', {
  method: 'POST', headers: { authorization: 'Bearer ' + process.argv[5], 'content-type': 'application/json' },
  body: JSON.stringify({ reason: 'spec' }),
});
console.log(answer.status, ...(await Promise.all(changes)));
console.log(isOn(streamed), isOn(polled), streamed.details('checkout-v2', true).reason);
await Promise.all([streamed.close(), polled.close()]);
const offline = createFileTidegate({ file });
await offline.ready();
console.log(isOn(offline), offline.status.state);
await offline.close();
`,
      ...connection(),
      join(folder, `${Math.random()}.json`),
      service.key ?? '',
    );
    expect(await printed).toBe(
      'true true ready\nTARGETING_MATCH false\n200 true>false true>false\nfalse false DISABLED\nfalse ready\n',
    );
  });

  it.each([
    ['that closes its client ends', `await flags.ready(); await flags.close();`],
    ['that closes it while it connects ends', `await flags.close();`],
    [
      'that closes it in the middle of a change ends',
      `flags.onFlagChanged('checkout-v2', () => new Promise(() => {})); await flags.ready(); await flags.close();`,
    ],
  ])('%s by itself, with nothing left open', async (_what, body) => {
    const left = `
process.on('exit', () => {
  const kept = process.getActiveResourcesInfo().filter((name) => !/^(TTY|Pipe|FS)/.test(name));
  console.log('left', kept.filter((name) => name !== 'TCPSocketWrap' && name !== 'TLSWrap').join());
});`;
    const program = `
import { createTidegate } from '${core('tidegate.sse.js')}';
const [, , url, key] = process.argv;
const flags = createTidegate({ url, key, environment: 'test' });
${body}
${left}
`;
    expect(await run(path, program, ...connection())).toBe('left \n');
  });

  it('is not kept alive by a client that polls, reads a file, or waits for a server', async () => {
    const fake = await FakeFlagService.start();
    const file = join(folder, 'flags.json');
    writeFileSync(file, '{"digest":"d","flags":[]}');
    const program = `
import { createTidegate } from '${core('tidegate.sse.js')}';
import { createFileTidegate } from '${core('tidegate.file.js')}';
const [, , url, file] = process.argv;
const options = { url, key: 'k', environment: 'test' };
await createTidegate({ ...options, mode: 'poll', pollIntervalMs: 1_000 }).ready();
await createFileTidegate({ file }).ready();
createTidegate({ ...options, url: 'http://127.0.0.1:9' });
console.log('done');
`;
    expect(await run(path, program, fake.url, file)).toBe('done\n');
    await fake.stop();
  });
});
