import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { startStandalone } from './standalone.ts';

it('keeps one log for all services, in which each line names one of them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'standalone-'));
  try {
    const env = { DATA_DIR: join(folder, 'data'), PORT_BASE: '0' };
    const standalone = await startStandalone(env, () => undefined);
    await standalone.stop();
    const lines = readFileSync(standalone.logFile, 'utf8').trim().split('\n');
    const named = new Set<string>();
    for (const line of lines) {
      const services = [...line.matchAll(/"service":"([^"]+)"/g)].map(([, service]) => service);
      expect(services).toHaveLength(1);
      named.add(String(services[0]));
    }
    expect(named).toEqual(new Set(Object.keys(standalone.urls)));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
