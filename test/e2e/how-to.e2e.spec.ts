import { copyFileSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { operatorNames } from '@tidegate/contracts';
import { eventually } from '@tidegate/kernel/testing';
import { type Block, blocksOf, documents, endOf, isInItsFile } from './how-to.ts';
import { openHouse } from './house.ts';
import { temporaryFolder } from './process.ts';
import { openTerminal, type Terminal } from './terminal.ts';

jest.setTimeout(180_000);
const root = join(import.meta.dirname, '../..');

describe('what the how-tos show', () => {
  const shown = documents('docs/{how-to,migrations}/*.md').flatMap(blocksOf);
  it.each(shown.filter(({ marks }) => 'file' in marks))(
    '$marks.file is as in $document, line $line',
    (block) => {
      expect(isInItsFile(block)).toBe(true);
    },
  );
});

it('every operator that people write is explained', () => {
  const text = readFileSync(join(root, 'docs/how-to/who-gets-what.md'), 'utf8');
  const written = operatorNames.filter((name) => !name.startsWith('loosely-'));
  expect(written.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

describe('a flag in five minutes', () => {
  const blocks = blocksOf('docs/how-to/flag-in-five-minutes.md');
  const home = temporaryFolder();
  const terminals: Terminal[] = [];
  afterAll(() => Promise.all(terminals.map((each) => each[Symbol.asyncDispose]())));

  it('goes as it is written, from the first command to the kill', async () => {
    await using house = await openHouse();
    const { npm_config_cache: cache = join(homedir(), '.npm') } = process.env;
    const env = { ...house.environment, HOME: home, npm_config_cache: cache };
    const open = (folder: string, more = {}): Terminal => {
      const terminal = openTerminal(folder, { ...env, ...more });
      terminals.push(terminal);
      return terminal;
    };
    const tidegate = open(root, { DATA_DIR: house.folder });
    const shop = open(home);
    let read = 0;
    for (const block of blocks) read = await follow(block, { tidegate, shop }, read);
    expect(blocks.filter((block) => wayOf(block) === undefined)).toEqual([]);

    /** @returns how much of the shop's output is read */
    async function follow({ marks, text }: Block, { tidegate, shop }: Shells, read: number) {
      const { run, start, file, prints } = marks;
      if (run !== undefined) await (run === 'shop' ? shop : tidegate).run(text);
      if (file !== undefined && 'save' in marks)
        copyFileSync(join(root, file), join(home, 'shop', basename(file)));
      if (start === 'shop') shop.type(text.replace('tg_admin_…', house.adminKey));
      if (prints === undefined) return read;
      return eventually(() => endOf(text, shop.output(), read), 20_000).catch((error: unknown) => {
        throw new Error(`Not shown: ${text}\n${shop.output().slice(read)}`, { cause: error });
      });
    }
  });
});

interface Shells {
  readonly tidegate: Terminal;
  readonly shop: Terminal;
}

const wayOf = ({ marks }: Block): string | undefined =>
  ['run', 'start', 'file', 'prints'].find((way) => way in marks);
