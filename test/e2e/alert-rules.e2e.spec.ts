import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { mustHaveServers } from '../servers/servers.ts';
import { findProgram, MissingServer, run } from '../servers/tools.ts';

const promtool = findProgram('promtool');
const missing = 'promtool is not installed: on Debian, apt-get install prometheus';
if (promtool === undefined) {
  if (mustHaveServers()) throw new MissingServer(missing);
  process.stderr.write(`SKIPPED what needs promtool: ${missing}\n`);
}

const root = join(import.meta.dirname, '../..');

(promtool === undefined ? describe.skip : describe)('the alert rules', () => {
  const check = (...args: readonly string[]): string => run(promtool ?? '', args, root);

  it('are found by the configuration of Prometheus', () => {
    expect(check('check', 'config', 'deploy/prometheus/prometheus.yml')).toMatch(/\d+ rules found/);
  });

  it('fire when nobody looks after rollouts or a migration stands still or failed, and only then', () => {
    expect(check('test', 'rules', 'test/e2e/alert-rules.promtool.yml')).toContain('SUCCESS');
  });
});
