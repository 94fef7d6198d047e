import type { PickleStep, PickleTable } from '@cucumber/messages';
import type { World } from './world.ts';

type Run = (world: World, words: string[], table: string[][]) => void | Promise<void>;

export interface Step {
  readonly pattern: RegExp;
  readonly run: Run;
}

/** `…` in the text stands for something in quotes. */
export const step = (text: string, run: Run): Step => ({
  pattern: new RegExp(`^${text.replaceAll('…', String.raw`"((?:[^"\\]|\\.)*)"`)}$`),
  run,
});

export async function take(steps: readonly Step[], { text, argument }: PickleStep, world: World) {
  const found = steps.filter(({ pattern }) => pattern.test(text));
  const [only] = found;
  if (!only || found.length > 1) throw new Error(`${found.length} steps for: ${text}`);
  const [, ...words] = only.pattern.exec(text) ?? [];
  await only.run(world, words.map(unescaped), rowsOf(argument?.dataTable));
}

const unescaped = (word: string): string => word.replaceAll(String.raw`\"`, '"');
const rowsOf = (table: PickleTable | undefined): string[][] =>
  table?.rows.map(({ cells }) => cells.map(({ value }) => value)) ?? [];
