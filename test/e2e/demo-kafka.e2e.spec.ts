import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { findProgram } from '../servers/tools.ts';
import { mustHaveServers } from '../servers/servers.ts';
import { attribute, openCollector, wayOf } from './collector.ts';
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
    await using collector = await openCollector();
    await using program = start('apps/standalone/dist/demo.js', ['--kafka', '--once', '--json'], {
      DATA_DIR: folder,
      PORT_BASE: '0',
      ...collector.environment,
    });
    const code = await program.ended();
    const last = program.output().trim().split('\n').at(-1) ?? '';
    const what = { promoted: true, rolledBack: true, recovered: true, auditVerified: true };
    const result = JSON.parse(last) as Record<string, unknown>;
    expect({ ...result, code }).toMatchObject({ ...what, code: 0 });
    const archive = join(folder, 'demo', 'audit', 'archive');
    await using verified = start(cli, ['audit', 'verify', archive, '--json']);
    expect(await verified.ended()).toBe(0);
    expect(JSON.parse(verified.output())).toMatchObject({ records: result['auditRecords'] });

    // Of each rollout, one trace from the request, over two topics between processes, to the audit record.
    const traces = collector.spans
      .filter((span) => attribute(span, 'tidegate.service') === 'audit-sink')
      .map((span) => collector.origins(span));
    const whole = traces.filter((spans) => spans.at(-1)?.name === 'POST /v1/rollouts');
    for (const spans of whole) expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(whole.map(wayOf)).toContainEqual([
      ['audit-sink', 'process flag.events'],
      ['flag-service', 'send flag.events'],
      ['flag-service', 'process flag.commands'],
      ['metrics-gatekeeper', 'send flag.commands'],
      ['metrics-gatekeeper', 'POST /v1/rollouts'],
    ]);
  });
});
