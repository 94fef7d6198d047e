import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openSqliteStore } from '@tidegate/store';
import { run } from '../program.ts';

const clock = { now: () => 1_000 };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-cli-store-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, 'store.db');
const openStore = () => openSqliteStore({ file: file(), clock });

/** The epoch that services would find. */
async function epoch(): Promise<number> {
  const store = await openStore();
  await store.close();
  return store.epoch;
}

async function restored(
  args: readonly string[] = [],
  { answer, env = { DATA_DIR: folder } }: { answer?: string; env?: Record<string, string> } = {},
) {
  let output = '';
  const take = (text: string): void => void (output += text);
  const questions: string[] = [];
  const code = await run(['store', 'restored', ...args], {
    env,
    write: take,
    writeError: take,
    random: (bytes) => new Uint8Array(bytes),
    signal: new AbortController().signal,
    version: '1',
    ...(answer === undefined
      ? {}
      : {
          ask: async (question) => {
            questions.push(question);
            return answer;
          },
        }),
  });
  return { code, output, questions };
}

describe('tidegate store restored', () => {
  it('shows first which store it is and what will follow, and changes nothing', async () => {
    expect(await epoch()).toBe(1);
    const { code, output } = await restored();
    expect(code).toBe(1);
    expect(output).toContain(file());
    expect(output).toContain('2 means');
    expect(output).toContain('Nothing was changed. Add --yes');
    const json = await restored(['--json']);
    expect(json).toMatchObject({ code: 1, output: expect.stringContaining('"raised": false') });
    expect(await epoch()).toBe(1);
  });

  it('raises the epoch when told so, each time', async () => {
    expect(await epoch()).toBe(1);
    expect((await restored(['--yes'])).code).toBe(0);
    expect(await epoch()).toBe(2);
    const { output } = await restored(['--yes', '--json'], {
      env: { STORE_URL: `sqlite:${file()}` },
    });
    expect(JSON.parse(output)).toEqual({ store: `sqlite:${file()}`, epoch: 3, raised: true });
  });

  it('asks whoever sits at the terminal', async () => {
    expect(await epoch()).toBe(1);
    const no = await restored([], { answer: 'y' });
    expect(no).toMatchObject({ code: 1, questions: ['Raise the epoch from 1 to 2? Type yes: '] });
    expect(await epoch()).toBe(1);
    expect((await restored([], { answer: 'yes' })).code).toBe(0);
    expect(await epoch()).toBe(2);
  });

  it('makes no store where there is none', async () => {
    const { code, output } = await restored(['--yes']);
    expect({ code, output }).toMatchObject({
      code: 1,
      output: expect.stringContaining('There is no store here'),
    });
    await expect(openSqliteStore({ file: file(), clock, mustExist: true })).rejects.toMatchObject({
      code: 'STORE_MISSING',
    });
  });

  it('refuses while services have the store', async () => {
    const store = await openStore();
    const { code, output } = await restored(['--yes']);
    await store.close();
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining('in use') });
    expect(await epoch()).toBe(1);
  });

  it('refuses an address that is none', async () => {
    const { code, output } = await restored([], { env: { STORE_URL: 'redis://here' } });
    expect({ code, output }).toMatchObject({
      code: 2,
      output: expect.stringContaining('STORE_URL'),
    });
  });
});
