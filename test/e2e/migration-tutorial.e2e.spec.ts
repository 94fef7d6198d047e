import { copyFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, expect, it, jest } from '@jest/globals';
import { type Block, blocksOf, endOf } from './how-to.ts';
import { openHouse, type Standalone } from './house.ts';
import { temporaryFolder } from './process.ts';
import { openTerminal, type Terminal } from './terminal.ts';

jest.setTimeout(180_000);
const root = join(import.meta.dirname, '../..');
const home = temporaryFolder();
const folder = join(home, 'data');
const started: AsyncDisposable[] = [];
afterAll(() => Promise.all(started.map((each) => each[Symbol.asyncDispose]())));

it('the tutorial of migrations goes as it is written', async () => {
  const blocks = blocksOf('docs/migrations/tutorial.md');
  const terminal = openTerminal(root, { HOME: home, DATA_DIR: folder });
  started.push(terminal);
  let read = 0;
  for (const block of blocks) read = await follow(block, terminal, read);
  expect(blocks.filter(({ marks }) => Object.keys(marks).length === 0)).toEqual([]);
});

/** @returns how much of the terminal's output is read */
async function follow({ text, marks }: Block, terminal: Terminal, read: number): Promise<number> {
  const { file } = marks;
  if (file !== undefined && 'save' in marks)
    copyFileSync(join(root, file), join(home, 'shop/migrations', basename(file)));
  if ('start' in marks) await terminal.run(exportsOf(await startHouse()));
  if ('run' in marks) await terminal.run(text);
  if (!('prints' in marks)) return read;
  const end = endOf(text, terminal.output(), read);
  if (end === undefined)
    throw new Error(`Not shown:\n${text}\nbut:\n${terminal.output().slice(read)}`);
  return end;
}

/** As the tutorial says, on free ports. */
async function startHouse(): Promise<Standalone> {
  const house = await openHouse({
    DATA_DIR: folder,
    MIGRATIONS_DIR: join(home, 'shop/migrations'),
    MIGRATION_TARGETS: `shop=sqlite:${join(home, 'shop/shop.db')}`,
  });
  started.push(house);
  return house;
}

const exportsOf = ({ environment }: Standalone): string =>
  Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value}'`)
    .join('\n');
