import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/kernel/testing';
import { cli } from './house.ts';
import { freePortBase } from './target.ts';
import { start, temporaryFolder } from './process.ts';

jest.setTimeout(120_000);

const demo = 'apps/standalone/dist/demo.js';

/** Process ids, as Linux tells them. */
function childrenOf(parent: number): readonly number[] {
  const file = `/proc/${parent}/task/${parent}/children`;
  return existsSync(file)
    ? readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number)
    : [];
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // ESRCH
  }
};

describe('the demo', () => {
  it('promotes a healthy release, rolls a broken one back and proves it, again and again on one folder', async () => {
    const folder = temporaryFolder();
    for (const _time of ['first', 'second']) {
      await using program = start(demo, ['--once', '--json'], { DATA_DIR: folder, PORT_BASE: '0' });
      const code = await program.ended();
      const last = program.output().trim().split('\n').at(-1) ?? '';
      expect({ code, last: last.slice(0, 1) }).toEqual({ code: 0, last: '{' });
      const result = JSON.parse(last) as Record<string, unknown>;
      expect(result).toEqual({
        promoted: true,
        rolledBack: true,
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
    }
  });

  it('ends with 0 on Ctrl-C in the middle of a rollout, and leaves no process behind', async () => {
    const folder = temporaryFolder();
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
    expect(children.length).toBeGreaterThanOrEqual(3);
    const startedAt = performance.now();
    program.signal('SIGINT');
    expect(await program.ended()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(await eventually(() => children.every((pid) => !isAlive(pid)))).toBe(true);
    expect(readdirSync(join(folder, 'demo'))).toContain('store.db');
  });

  it('leaves no process behind when it is killed', async () => {
    await using program = start(demo, [], { DATA_DIR: temporaryFolder(), PORT_BASE: '0' });
    await program.printed('A healthy release');
    const children = childrenOf(program.process.pid ?? 0);
    await program.kill();
    expect(await eventually(() => children.every((pid) => !isAlive(pid)))).toBe(true);
  });

  it('does not empty a folder that it has not made', async () => {
    const folder = temporaryFolder();
    await using house = start('apps/standalone/dist/main.js', [], {
      DATA_DIR: join(folder, 'demo'),
      PORT_BASE: '0',
    });
    await house.printed('Ctrl-C stops it.');
    await using program = start(demo, ['--once'], { DATA_DIR: folder, PORT_BASE: '0' });
    expect(await program.ended()).toBe(1);
    expect(program.output()).toMatch(/another process|in use/i);
  });
});
