import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { eventually } from '@tidegate/kernel/testing';
import { type KeyRing, openKeyRing } from './key-ring.file.ts';

let folder: string;
let file: string;
let ring: KeyRing | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-'));
  file = join(folder, 'keys');
});
afterEach(async () => {
  ring?.close();
  ring = undefined;
  await rm(folder, { recursive: true });
});

const open = (adminKey?: string): KeyRing =>
  (ring = openKeyRing({ adminKey, file, checkMs: 10, log: pino({ level: 'silent' }) }));
const line = (name: string, key: string): string =>
  JSON.stringify({
    name,
    sha256: createHash('sha256').update(key).digest('hex'),
    role: 'operator',
    environments: ['test'],
  });

describe('a key ring', () => {
  it('knows the keys of the file and the administrator, and nobody else', async () => {
    await writeFile(file, line('ada', 'tg_operator_ada'));
    const keys = open('the administrator');
    expect(keys.find('tg_operator_ada')).toEqual({
      name: 'ada',
      role: 'operator',
      environments: ['test'],
    });
    expect(keys.find('the administrator')).toMatchObject({ name: 'admin', role: 'admin' });
    for (const guess of ['', 'ada', 'tg_operator_ad', 'tg_operator_adaa'])
      expect(keys.find(guess)).toBeUndefined();
  });

  it('forgets a key that was found before, once the file no longer has it', async () => {
    await writeFile(file, line('ada', 'tg_operator_ada'));
    const keys = open();
    expect(keys.find('tg_operator_ada')).toBeDefined();
    await writeFile(file, line('bob', 'tg_operator_bob'));
    await eventually(() => keys.find('tg_operator_bob') !== undefined);
    expect(keys.find('tg_operator_ada')).toBeUndefined();
  });

  it('keeps its keys while the file is empty, malformed or gone, and says so', async () => {
    await writeFile(file, line('ada', 'tg_operator_ada'));
    const keys = open();
    const spoilt = async (spoil: Promise<void>, problem: string): Promise<void> => {
      await spoil;
      await eventually(() => keys.problem()?.includes(problem) ?? false);
      expect(keys.find('tg_operator_ada')).toBeDefined();
    };
    await spoilt(writeFile(file, ''), 'is empty');
    await spoilt(writeFile(file, '{"name": "bob"}'), 'line 1: sha256');
    await spoilt(rm(file), 'ENOENT');
    await writeFile(file, line('ada', 'tg_operator_ada'));
    await eventually(() => keys.problem() === undefined);
  });

  it('does not open on a file that is missing or malformed', async () => {
    expect(() => open()).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    await writeFile(file, 'tg_operator_ada');
    expect(() => open()).toThrow(/API_KEYS_FILE: .*keys: line 1: is not JSON/);
  });
});
