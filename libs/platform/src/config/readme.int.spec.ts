import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { configMarkdown } from './config-table.ts';
import { PlatformConfig } from './platform-config.ts';

const rows = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.replaceAll(/\s+/g, ' '));

it('the README has the options as they are', async () => {
  const readme = await readFile('libs/platform/README.md', 'utf8');
  expect(rows(readme.split('<!-- options -->')[1] ?? '')).toEqual(
    rows(configMarkdown(PlatformConfig)),
  );
});
