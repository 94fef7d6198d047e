import { chmodSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { findProgram } from '../servers/tools.ts';
import { programIfAny } from '../servers/servers.ts';
import { start, temporaryFolder } from './process.ts';

jest.setTimeout(120_000);
const main = 'test/servers/main.ts';

/** Command lines of the processes that have the folder in theirs. */
const processesIn = (folder: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
    .filter((line) => line.includes(folder));

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it has just ended
  }
}

/** Where nothing is installed but what starts programs. */
function emptyPath(): string {
  const folder = temporaryFolder();
  symlinkSync(findProgram('bash') ?? '', join(folder, 'bash'));
  return folder;
}

/** Not all servers run as we do. */
function folderForAll(): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  return folder;
}

const names = ['redis', 'postgres'] as const;
const programs = ['redis-server', 'postgres', 'java'].map((name) =>
  programIfAny(name, 'see test/servers/native.ts'),
);
const canStart = programs.every((program) => program !== undefined);

(canStart && process.platform === 'linux' ? describe : describe.skip)(
  'servers of npm run servers',
  () => {
    it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
      'have addresses, and are all gone after %s',
      async (signal) => {
        const TMPDIR = folderForAll();
        await using program = start(main, names, { TMPDIR, HOME: process.env['HOME'] ?? '' });
        const printed = await program.printed('Ctrl-C stops what was started here.', 60_000);
        expect(printed).toMatch(/^redis +redis:\/\/127\.0\.0\.1:\d+ {2}\(native\)$/m);
        expect(printed).toMatch(/^postgres +postgres:\/\/tidegate@127\.0\.0\.1:\d+\/postgres/m);
        expect(processesIn(TMPDIR).join('\n')).toContain('postgres');
        program.signal(signal);
        await program.ended();
        await eventually(() => processesIn(TMPDIR).length === 0, 30_000);
        if (signal !== 'SIGKILL') expect(readdirSync(TMPDIR)).toEqual([]);
      },
    );

    it('are gone as well when they were still starting', async () => {
      const TMPDIR = folderForAll();
      await using program = start(main, ['kafka'], { TMPDIR, HOME: process.env['HOME'] ?? '' });
      const isStarting = () => processesIn(TMPDIR).some((line) => line.includes('kafka.Kafka'));
      await eventually(isStarting, 60_000);
      program.signal('SIGTERM');
      await program.ended();
      await eventually(() => processesIn(TMPDIR).length === 0, 30_000);
    });
  },
);

describe('a server', () => {
  it('that has an address in the environment is used where it is', async () => {
    await using program = start(main, ['redis'], { REDIS_URL: 'redis://elsewhere:6379' });
    expect(await program.printed('Ctrl-C')).toContain('redis://elsewhere:6379  (environment)');
  });

  it('that is missing is skipped aloud', async () => {
    await using program = start(main, ['kafka', 'redis'], { PATH: emptyPath() });
    const printed = await program.printed('Ctrl-C stops what was started here.');
    expect(printed).toContain(
      'SKIPPED what needs kafka: java is not installed: on Debian, apt-get',
    );
    expect(printed).toContain('SKIPPED what needs redis: redis-server is not installed');
  });

  it.each(['CI', 'REQUIRE_SERVERS'])('that is missing is a failure with %s=1', async (option) => {
    await using program = start(main, ['redis'], { PATH: emptyPath(), [option]: '1' });
    expect(await program.ended()).toBe(1);
    expect(program.output()).toContain('redis-server is not installed');
  });

  it('that two runs build at the same time is one server for both, whole, and stays as it is', async () => {
    const cache = temporaryFolder();
    const file = join(temporaryFolder(), 'build.ts');
    const tools = JSON.stringify(join(import.meta.dirname, '../servers/tools.ts'));
    const text = `
      import { readFileSync, writeFileSync } from 'node:fs';
      import { cached } from ${tools};
      const folder = cached('server', (unfinished) => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.argv[2]));
        writeFileSync(unfinished + '/program', process.argv[2]);
      });
      console.log('built by', readFileSync(folder + '/program', 'utf8'));
    `;
    writeFileSync(file, text);
    const env = { TIDEGATE_SERVERS_CACHE: cache };
    const both = ['700', '900'].map((ms) => start(file, [ms], env));
    expect(await Promise.all(both.map((program) => program.ended()))).toEqual([0, 0]);
    const [one, other] = both.map((program) => program.output());
    expect(one).toMatch(/^built by \d+\n$/);
    expect(other).toBe(one);
    expect(readdirSync(cache)).toEqual(['server']);
  });
});
