import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { compilerSays } from '../../../../test/e2e/compiler.ts';
import { temporaryFolder } from '../../../../test/e2e/process.ts';
import { run } from '../program.ts';

jest.setTimeout(60_000);
const root = join(import.meta.dirname, '../../../..');
let folder: string;
beforeEach(() => {
  folder = join(temporaryFolder(), 'migrations');
});

async function tidegate(...args: string[]) {
  let out = '';
  let error = '';
  const code = await run(args, {
    env: { MIGRATIONS_DIR: folder },
    write: (text) => void (out += text),
    writeError: (text) => void (error += text),
    random: (bytes) => new Uint8Array(bytes),
    signal: new AbortController().signal,
    version: '1',
  });
  return { code, out: stripVTControlCharacters(out), error: stripVTControlCharacters(error) };
}
const PLACE = ['--target', 'shop', '--collection', 'people'];

/** A migration that is right but for what is said. */
function put(name: string, rest: string): string {
  const file = join(folder, `${name}.mjs`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    file,
    `export default { id: '${name}', target: 'shop', collection: 'orders', pending: { v: { exists: false } },
    up: (order) => ({ ...order, v: 2 }), down: (order) => ({ ...order, v: undefined }),
    samples: [{ id: 1, note: 'gift' }], ${rest} };`,
  );
  return file;
}

describe('tidegate migration new', () => {
  it('writes files that compile, and that nothing is wrong with but what must be filled in', async () => {
    for (const kind of ['data', 'schema', 'cutover'])
      expect(await tidegate('migration', 'new', `new-${kind}`, '-k', kind, ...PLACE)).toEqual({
        code: 0,
        error: '',
        out: expect.stringContaining(`new-${kind}.ts`),
      });
    const files = ['data', 'schema', 'cutover'].map((kind) => join(folder, `new-${kind}.ts`));
    expect(compilerSays(folder, files)).toBe('');
    expect((await tidegate('migration', 'check', files[0]!)).code).toBe(0);
    expect((await tidegate('migration', 'check', files[1]!)).code).toBe(0);
    const { code, out } = await tidegate('migration', 'check', files[2]!, '--json');
    expect(code).toBe(1);
    expect((JSON.parse(out) as { problems: string[] }).problems).toEqual([
      `${files[2]}: flag: expected the key of a flag`,
      `${files[2]}: variant: expected the variant of the flag that reads the new form`,
      `${files[2]}: dependsOn: expected the migrations that must be verified before reads are switched`,
    ]);
  });

  it('never writes over a file, and takes no name that cannot be an id', async () => {
    const file = put('full-names', '');
    const text = readFileSync(file, 'utf8');
    await tidegate('migration', 'new', 'full-names', ...PLACE);
    const again = await tidegate('migration', 'new', 'full-names', ...PLACE);
    expect(again).toMatchObject({ code: 1, error: expect.stringContaining('cannot be written') });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(await tidegate('migration', 'new', 'Full Names')).toMatchObject({ code: 2 });
  });
});

describe('tidegate migration check', () => {
  it('names the rule and shows the document, file by file', async () => {
    put('fine', '');
    put('lossy', 'down: (order) => ({ ...order, v: undefined, note: null })');
    put('moody', 'up: (order) => ({ ...order, v: Math.random() })');
    const { code, out, error } = await tidegate('migration', 'check');
    expect(code).toBe(1);
    expect(error).toContain('2 things are not as they must be (seed 1).');
    expect(out).toContain('✓ fine, tried on 1 sample and on documents made from them');
    expect(out).toContain(
      '✗ lossy.mjs: not-reversed: down(up(document)) is not the document: note',
    );
    expect(out).toContain('    {"id":1,"note":"gift"}');
    expect(out).toContain('✗ moody.mjs: impure: up does not give the same twice');
  });

  it('finds the same for the same seed', async () => {
    const file = put('cut', 'up: (o) => ({ ...o, v: 2, note: String(o.note).slice(0, 99) })');
    const found = await tidegate('migration', 'check', file, '--json', '--seed', '42');
    expect(found).toEqual(await tidegate('migration', 'check', file, '--json', '--seed', '42'));
    expect(JSON.parse(found.out)).toMatchObject({
      seed: 42,
      problems: [],
      migrations: [{ file: 'cut.mjs', findings: [{ rule: 'not-reversed' }] }],
    });
  });

  it('tells what cannot be loaded, and where', async () => {
    put('a', "dependsOn: ['nowhere']");
    expect((await tidegate('migration', 'check')).out).toContain(
      'a.mjs: dependsOn: there is no migration nowhere',
    );
    writeFileSync(join(folder, 'broken.mjs'), 'export default {\n  id: 5,,\n};');
    expect((await tidegate('migration', 'check')).out).toContain('broken.mjs: ');
    expect(await tidegate('migration', 'check', join(folder, 'none'))).toMatchObject({
      code: 1,
      error: expect.stringContaining('cannot be read'),
    });
    mkdirSync(join(folder, 'empty'));
    expect((await tidegate('migration', 'check', join(folder, 'empty'))).error).toContain(
      'There are no migrations there.',
    );
    expect((await tidegate('migration', 'check', '--seed', 'x')).code).toBe(2);
  });

  it('takes a migration from any folder, without a build and without a package there', async () => {
    await tidegate('migration', 'new', 'far-away', ...PLACE);
    const command = [join(root, 'apps/cli/dist/main.js'), 'migration', 'check', folder];
    const out = execFileSync(process.execPath, command, { encoding: 'utf8', cwd: folder });
    expect(out).toContain('far-away');
  });
});
