import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openLog } from './log.file.ts';

it('writes lines of JSON into its file, without secrets, and all of them before it is closed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-'));
  const file = join(folder, 'logs', 'tiny.log');
  const { log, close } = openLog({ level: 'info', file, service: 'tiny' });
  log.info({ request: { headers: { authorization: 'Bearer s3cret' } }, token: 's3cret' }, 'asked');
  log.debug('not worth it');
  for (let line = 0; line < 100; line += 1) log.warn({ line }, 'and again');
  await close();
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  await rm(folder, { recursive: true });
  expect(lines).toHaveLength(101);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'info',
    service: 'tiny',
    msg: 'asked',
    token: '[secret]',
  });
  expect(lines.join('')).not.toContain('s3cret');
});
