import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { cli, standalone } from './house.ts';
import { start, temporaryFolder } from './process.ts';
import { freePortBase } from './target.ts';

jest.setTimeout(150_000);

const demo = 'apps/standalone/dist/demo.js';

/** Process ids, as Linux tells them. */
const childrenOf = (parent: number): readonly number[] => {
  const text = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
};

const areGone = (pids: readonly number[]): Promise<boolean> =>
  eventually(() => pids.every((pid) => !existsSync(`/proc/${pid}`)));

/** Stopped by Ctrl-C once its healthy rollout has opened a stage. Resolves with its exit code. */
async function interrupted(folder: string): Promise<number | null> {
  const base = await freePortBase();
  await using program = start(demo, [], { DATA_DIR: folder, PORT_BASE: String(base) });
  await program.printed('A healthy release');
  await eventually(async () => {
    const key = readFileSync(join(folder, 'demo', 'admin.key'), 'utf8').trim();
    const found = await fetch(`http://127.0.0.1:${base + 2}/v1/rollouts`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const { items } = (await found.json()) as { items: readonly { phase: string }[] };
    return items[0]?.phase === 'open';
  }, 30_000);
  const children = childrenOf(program.process.pid ?? 0);
  expect(children).toHaveLength(3); // the example, and load on each of its two features
  program.signal('SIGINT');
  const code = await program.ended();
  expect(await areGone(children)).toBe(true);
  return code;
}

describe('the demo', () => {
  it('ends with 0 on Ctrl-C in the middle of a rollout, leaving no process behind, and can be run again', async () => {
    const folder = temporaryFolder();
    expect(await interrupted(folder)).toBe(0);

    await using program = start(demo, ['--once', '--json'], { DATA_DIR: folder, PORT_BASE: '0' });
    const code = await program.ended();
    const last = program.output().trim().split('\n').at(-1) ?? '';
    expect({ code, last }).toEqual({ code: 0, last: expect.stringMatching(/^\{.*\}$/) });
    const result = JSON.parse(last) as Record<string, unknown>;
    expect(result).toEqual({
      promoted: true,
      rolledBack: true,
      recovered: true,
      breachToFlagOffMs: expect.any(Number),
      healthyRequests: expect.any(Number),
      brokenRequests: expect.any(Number),
      auditRecords: expect.any(Number),
      auditVerified: true,
      webhooksDelivered: expect.any(Number),
      seconds: expect.any(Number),
    });
    for (const name of ['healthyRequests', 'brokenRequests', 'auditRecords', 'webhooksDelivered'])
      expect(result[name]).toBeGreaterThan(0);
    expect(result['breachToFlagOffMs']).toBeGreaterThanOrEqual(0);

    const archive = join(folder, 'demo', 'audit', 'archive');
    await using verified = start(cli, ['audit', 'verify', archive, '--json']);
    expect(await verified.ended()).toBe(0);
    expect(JSON.parse(verified.output())).toMatchObject({
      proven: true,
      records: result['auditRecords'],
    });
  });

  it('leaves no process behind when it is killed', async () => {
    await using program = start(demo, [], { DATA_DIR: temporaryFolder(), PORT_BASE: '0' });
    await program.printed('A healthy release');
    const children = childrenOf(program.process.pid ?? 0);
    await program.kill();
    expect(await areGone(children)).toBe(true);
  });

  it('does not empty a folder that somebody works in', async () => {
    const folder = temporaryFolder();
    const env = { DATA_DIR: join(folder, 'demo'), PORT_BASE: '0' };
    await using house = start(standalone, [], env);
    await house.printed('Ctrl-C stops it.');
    await using program = start(demo, ['--once'], { DATA_DIR: folder, PORT_BASE: '0' });
    expect(await program.ended()).toBe(1);
    expect(program.output()).toMatch(/another process|in use/i);
    expect(existsSync(join(folder, 'demo', 'admin.key'))).toBe(true);
  });
});
