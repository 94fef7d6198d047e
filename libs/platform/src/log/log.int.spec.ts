import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

it('costs its lines and nothing else when the disk is full', async () => {
  const { log, flush, close } = openLog({ level: 'info', file: '/dev/full' });
  for (let line = 0; line < 100; line += 1) log.info({ line }, 'lost');
  flush();
  await expect(close()).resolves.toBeUndefined();
});

it('lets its process end though the disk is full', async () => {
  const child = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    `const { openLog } = await import('${import.meta.dirname}/log.file.ts');
     const { log } = openLog({ level: 'info', file: '/dev/full' });
     log.info('lost');
     setTimeout(() => { log.info('lost'); process.exit(7); }, 50);`,
  ]);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect({ code, said }).toEqual({ code: 7, said: expect.stringContaining('/dev/full') });
});

it('says how many lines are lost when the disk takes some again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-'));
  const file = join(folder, 'tiny.log');
  const script = `
    const { openLog } = await import('${import.meta.dirname}/log.file.ts');
    const { truncateSync } = await import('node:fs');
    const { log, close } = openLog({ level: 'info', file: '${file}' });
    const written = () => new Promise((resolve) => setTimeout(resolve, 50));
    log.info('kept'); await written();
    log.info({ text: 'x'.repeat(2_000) }, 'lost'); await written();
    truncateSync('${file}', 100); log.info('kept again'); await close();`;
  const node = `'${process.execPath}' --input-type=module --eval "$SCRIPT"`;
  const child = spawn('bash', ['-c', `ulimit -f 1; exec ${node}`], { env: { SCRIPT: script } });
  const [code] = (await once(child, 'close')) as [number];
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  await rm(folder, { recursive: true });
  expect(code).toBe(0);
  expect(JSON.parse(lines.at(-2) ?? '')).toMatchObject({ level: 'warn', lines: 1 });
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ msg: 'kept again' });
});
