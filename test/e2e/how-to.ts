import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** A fenced block of a document: ```` ```sh run ```` has the language `sh` and the mark `run`. */
export interface Block {
  readonly document: string;
  readonly line: number;
  readonly language: string;
  /** `run` is `{ run: '' }`, `file=a.ts save` is `{ file: 'a.ts', save: '' }`. */
  readonly marks: Readonly<Record<string, string>>;
  readonly text: string;
}

const FENCE = /^```(?<language>\w+)(?: (?<marks>.*))?\n(?<text>[^]*?)^```$/gm;

export const documents = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();

export function blocksOf(document: string): Block[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(FENCE)].map(({ index, groups }) => ({
    document,
    line: text.slice(0, index).split('\n').length,
    language: groups?.['language'] ?? '',
    marks: Object.fromEntries(
      (groups?.['marks'] ?? '').split(' ').map((mark) => {
        const [name = '', value = ''] = mark.split('=');
        return [name, value];
      }),
    ),
    text: groups?.['text'] ?? '',
  }));
}

/** Whether the lines of the block stand in its file, in one piece, however deep they are indented. */
export function isInItsFile({ text, marks }: Block): boolean {
  const file = readFileSync(join(root, marks['file'] ?? ''), 'utf8');
  const lines = outdented(text.trimEnd().split('\n'));
  const there = file.split('\n');
  return there.some((_, at) => {
    const part = outdented(there.slice(at, at + lines.length));
    return part.join('\n') === lines.join('\n');
  });
}

function outdented(lines: readonly string[]): string[] {
  const depths = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const depth = Math.min(...depths, Infinity);
  return lines.map((line) => line.slice(Math.min(depth, line.length)).trimEnd());
}

/** Where the text ends in the output; `…` in it stands for anything in its line, a line of it alone for any lines. */
export function endOf(text: string, output: string, from: number): number | undefined {
  const lines = text
    .trim()
    .replaceAll(/[^\w\s…]/g, String.raw`\$&`)
    .replaceAll(/^…\n/gm, String.raw`(?:.*\n)*?`)
    .replaceAll('…', '.*');
  const found = new RegExp(lines).exec(output.slice(from));
  return found ? from + found.index + found[0].length : undefined;
}
