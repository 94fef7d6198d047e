import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it } from '@jest/globals';
import { hashOf } from './hash.file.ts';

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0)) each();
});

/** A folder with these files. */
function folder(files: Readonly<Record<string, string>>) {
  const path = mkdtempSync(join(tmpdir(), 'tidegate-migrations-'));
  cleanUp.push(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, 'shared'));
  const write = (name: string, text: string) => writeFileSync(join(path, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { write, hash: () => hashOf(pathToFileURL(join(path, 'totals.ts'))) };
}

const files = {
  'totals.ts': `import { defineMigration } from '@tidegate/migration';
import { total } from './shared/total.ts';
export default defineMigration({ up: total });`,
  'shared/total.ts': `import { cents } from "./cents.ts";
export * from './total.ts';
const rates = await import('./rates.json', { with: { type: 'json' } });`,
  'shared/cents.ts': 'export const cents = 100;',
  'shared/rates.json': '{}',
  'shared/unused.ts': '',
};

it('is of the text alone where nothing is imported from beside it, also where a comment names a file', async () => {
  const text = "// as import './shared/was.ts' did\nexport default {};";
  const { hash } = folder({ 'totals.ts': text });
  expect(await hash()).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
});

it('is another one when anything is edited that the file imports, however far away', async () => {
  const { write, hash } = folder(files);
  const hashes = [await hash()];
  for (const name of ['totals.ts', 'shared/total.ts', 'shared/cents.ts', 'shared/rates.json']) {
    write(name, `${files[name as keyof typeof files]}\n`);
    hashes.push(await hash());
  }
  expect(new Set(hashes).size).toBe(5);
});

it('is the same wherever the folder lies, and whatever else is in it', async () => {
  const { write, hash } = folder(files);
  const before = await hash();
  write('shared/unused.ts', 'export {};');
  expect(await hash()).toBe(before);
  expect(await folder(files).hash()).toBe(before);
});

it('tells when the file itself cannot be read', async () => {
  const { hash } = folder({});
  await expect(hash()).rejects.toThrow(/totals\.ts/);
});
