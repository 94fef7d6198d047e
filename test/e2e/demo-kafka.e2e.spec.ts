import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { findProgram } from '../servers/tools.ts';
import { mustHaveServers } from '../servers/servers.ts';
import { cli } from './house.ts';
import { start, temporaryFolder } from './process.ts';

jest.setTimeout(240_000);

/** Those that the demo cannot do without; in CI their absence is a failure. */
const missing = ['java', 'redis-server', 'prometheus'].filter((name) => !findProgram(name));
const canRun = missing.length === 0 || mustHaveServers();
if (!canRun) process.stderr.write(`SKIPPED the demo on Kafka: no ${missing.join(', ')}\n`);

(canRun ? describe : describe.skip)('the demo as separate processes on real servers', () => {
  it('tells the same story, and what it archives is proven', async () => {
    const folder = temporaryFolder();
    await using program = start('apps/standalone/dist/demo.js', ['--kafka', '--once', '--json'], {
      DATA_DIR: folder,
      PORT_BASE: '0',
    });
    const code = await program.ended();
    const last = program.output().trim().split('\n').at(-1) ?? '';
    expect({ code, last: last.slice(0, 1) }).toEqual({ code: 0, last: '{' });
    const result = JSON.parse(last) as Record<string, unknown>;
    expect(result).toMatchObject({ promoted: true, rolledBack: true, auditVerified: true });
    const archive = join(folder, 'demo', 'audit', 'archive');
    await using verified = start(cli, ['audit', 'verify', archive, '--json']);
    expect(await verified.ended()).toBe(0);
    expect(JSON.parse(verified.output())).toMatchObject({ records: result['auditRecords'] });
  });
});
