import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { compilerSays } from '../../../../test/e2e/compiler.ts';
import { startLoneService } from '../../../../test/e2e/lone-service.ts';
import { temporaryFolder } from '../../../../test/e2e/process.ts';
import { run } from '../program.ts';

jest.setTimeout(60_000);
const root = join(import.meta.dirname, '../../../..');
const folder = temporaryFolder();
const file = join(folder, 'flags.ts');
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  env = await startLoneService('flag-service', folder);
});

async function tidegate(...args: string[]) {
  let out = '';
  const write = (text: string): void => void (out += text);
  const code = await run(args, {
    env,
    write,
    writeError: write,
    random: (bytes) => new Uint8Array(bytes),
    signal: new AbortController().signal,
    version: '1',
  });
  return { code, out };
}

async function put(key: string, definition: object): Promise<void> {
  const input = join(folder, 'definition.json');
  writeFileSync(
    input,
    JSON.stringify({ exposure: { variant: 'a', percentage: 0 }, ...definition }),
  );
  expect(await tidegate('flag', 'set', key, input, '-e', 'shop')).toMatchObject({ code: 0 });
}
const ofType = (type: string, variants: object, rest: object = {}) => ({
  type,
  variants,
  defaultVariant: 'a',
  offVariant: 'a',
  ...rest,
});

const compiled = (program: string): string => {
  const file = join(folder, 'program.ts');
  writeFileSync(file, program);
  return compilerSays(folder, [file]);
};

describe('tidegate flag types', () => {
  it('writes a file that compiles, and knows keys, values and shapes', async () => {
    await tidegate('environment', 'create', 'shop');
    await put('checkout-v2', {
      ...ofType('boolean', { a: false, b: true }),
      description: 'The new pricing. */ evil();',
      owner: 'payments',
    });
    await put('plan', ofType('string', { a: 'free', b: 'pro', c: 'free' }));
    await put('timeout.ms', ofType('number', { a: 100, b: 250.5 }));
    await put('rules', ofType('mode', { a: 'off', b: 'warn', c: 'enforce' }));
    await put(
      'limits',
      ofType('object', {
        a: { perMinute: 10, hosts: [], note: null },
        b: { perMinute: 20, hosts: ['a'], burst: { size: 2 } },
      }),
    );
    await put('a1', ofType('boolean', { a: true }));
    await put('a-1', ofType('boolean', { a: true }));
    await put('2fa', ofType('boolean', { a: true }));
    expect(await tidegate('flag', 'types', '--env', 'shop', '--out', file)).toEqual({
      code: 0,
      out: `${file}: 8 flags of shop\n`,
    });
    const program = `
import { memoryTidegate } from '@tidegate/sdk/testing';
import { type FlagKey, flagDefaults, typedFlags } from './flags.ts';
const flags = typedFlags(memoryTidegate());
export const keys: FlagKey[] = ['checkout-v2', '2fa'];
export const isNew: boolean = flags.checkoutV2({ targetingKey: 'ann' });
export const plan: 'free' | 'pro' = flags.plan();
export const mode: 'off' | 'warn' | 'enforce' = flags.rules();
export const ms: number = flags.timeoutMs() + flagDefaults['timeout.ms'];
export const size: number | undefined = flags.limits().burst?.size;
export const hosts: readonly string[] = flags.limits().hosts;
export const collide: boolean = flags['a1']() && flags['a-1']() && flags['2fa']();
// @ts-expect-error there is no such flag
flags.checkoutV3();
// @ts-expect-error it has no such value
export const other: 'basic' = flags.plan();
// @ts-expect-error values are shared
flags.limits().perMinute = 3;
`;
    expect(compiled(program)).toBe('');
  });

  it('says how it was made, and makes the same of the same flags', async () => {
    const { code, out } = await tidegate('flag', 'types', '-e', 'shop');
    expect(code).toBe(0);
    expect(out).toBe(readFileSync(file, 'utf8'));
    expect(out.split('\n')[0]).toBe(
      '// Made by `tidegate flag types --env shop`: make it again, do not edit it.',
    );
    const { out: json } = await tidegate('flag', 'types', '-e', 'shop', '--json');
    expect((JSON.parse(json) as { source: string }).source).toBe(out);
  });

  it('answers with the flags of the client, and with the off variant where they cannot be had', async () => {
    writeFileSync(
      join(folder, 'asks.ts'),
      `
import { memoryTidegate } from ${JSON.stringify(join(root, 'libs/sdk/dist/testing.js'))};
import { typedFlags } from './flags.ts';
const known = typedFlags(memoryTidegate({ plan: 'pro', 'checkout-v2': true, rules: 'warn' }));
const newer = typedFlags(memoryTidegate({ plan: 'enterprise' }));
console.log(JSON.stringify([known.plan(), known.checkoutV2(), known.rules(), newer.plan(), newer.checkoutV2(), newer.limits()]));
`,
    );
    const out = execFileSync(process.execPath, [join(folder, 'asks.ts')], { encoding: 'utf8' });
    expect(JSON.parse(out)).toEqual([
      'pro',
      true,
      'warn',
      'free',
      false,
      { perMinute: 10, hosts: [], note: null },
    ]);
  });

  it('knows an imported flag: what it answers while it is on, and off while the program decides', async () => {
    const input = join(folder, 'flagd.json');
    const flags = {
      banner: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' },
      colour: { state: 'ENABLED', variants: { r: 'red', b: 'blue' }, defaultVariant: 'b' },
    };
    writeFileSync(input, JSON.stringify({ flags }));
    await tidegate('environment', 'create', 'moved');
    expect(await tidegate('flag', 'import', input, '-f', 'flagd', '-e', 'moved')).toMatchObject({
      code: 0,
    });
    const { out } = await tidegate('flag', 'types', '-e', 'moved', '-o', join(folder, 'moved.ts'));
    expect(out).toContain('2 flags of moved');
    const program = `
import { memoryTidegate } from '@tidegate/sdk/testing';
import { flagDefaults, typedFlags } from './moved.ts';
const flags = typedFlags(memoryTidegate());
export const banner: boolean = flags.banner();
export const colour: 'red' | 'blue' = flags.colour();
export const off: false | boolean = flagDefaults.banner;
`;
    expect(compiled(program)).toBe('');
    writeFileSync(
      join(folder, 'on.ts'),
      `
import { memoryTidegate } from ${JSON.stringify(join(root, 'libs/sdk/dist/testing.js'))};
import { flagDefaults, typedFlags } from './moved.ts';
const on = typedFlags(memoryTidegate({ banner: true, colour: 'red' }));
console.log(JSON.stringify([on.banner(), on.colour(), flagDefaults]));
`,
    );
    const answers = execFileSync(process.execPath, [join(folder, 'on.ts')], { encoding: 'utf8' });
    expect(JSON.parse(answers)).toEqual([true, 'red', { banner: false, colour: 'blue' }]);
  });

  it('makes nothing of an environment without flags, and says so', async () => {
    await tidegate('environment', 'create', 'empty');
    const { code, out } = await tidegate(
      'flag',
      'types',
      '-e',
      'empty',
      '-o',
      join(folder, 'none.ts'),
    );
    expect(code).toBe(1);
    expect(out).toContain('There are no flags in empty to make types of.');
    expect(existsSync(join(folder, 'none.ts'))).toBe(false);
  });

  it('names a file that cannot be written, and an environment that there is not', async () => {
    const nowhere = join(folder, 'no', 'flags.ts');
    const refused = await tidegate('flag', 'types', '-e', 'shop', '-o', nowhere);
    expect(refused.code).toBe(1);
    expect(refused.out).toContain(`${nowhere} cannot be written`);
    expect(existsSync(nowhere)).toBe(false);
    expect(await tidegate('flag', 'types', '-e', 'nowhere')).toMatchObject({ code: 1 });
  });
});
