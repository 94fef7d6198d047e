import Table from 'cli-table3';
import pc from 'picocolors';

/** What commands write to: a terminal or a pipe, tables for people or JSON for programs. */
export interface Output {
  readonly json: boolean;
  /** One document: as JSON, or as `human` says. */
  show(document: unknown, human: () => string): void;
  line(text: string): void;
}

export const createOutput = (json: boolean, write: (text: string) => void): Output => ({
  json,
  show: (document, human) =>
    write(`${json ? JSON.stringify(document, null, 2) : harmless(human())}\n`),
  line: (text) => write(`${harmless(text)}\n`),
});

/** Whoever writes a flag must not steer the terminal of whoever reads it: only colours are let through. */
export const harmless = (text: string): string =>
  text.replace(/(\p{Cc}\[[\d;]*m)|(?!\n)\p{Cc}/gu, (found, colour?: string) =>
    colour?.startsWith('\u001b') ? found : '\ufffd',
  );

/** A text of somebody else's where lines mean something: it makes up none of its own. */
export const onOneLine = (text: string | undefined): string | undefined =>
  text?.replaceAll('\n', ' ⏎ ');

/** Aligned columns without borders; `empty` is said when there are no rows. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  empty: string,
  align: readonly ('left' | 'right')[] = [],
): string {
  if (rows.length === 0) return pc.dim(empty);
  const drawn = new Table({
    head: head.map((each) => pc.bold(each)),
    colAligns: [...align],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: Object.fromEntries(
      [
        'top',
        'top-mid',
        'top-left',
        'top-right',
        'bottom',
        'bottom-mid',
        'bottom-left',
        'bottom-right',
      ]
        .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
        .map((part) => [part, '']),
    ),
  });
  drawn.push(...rows.map((row) => row.map(String)));
  return drawn.toString();
}

/** `name  value` lines, names aligned. */
export function facts(pairs: readonly (readonly [string, string | number | undefined])[]): string {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${pc.dim(name.padEnd(width))}  ${value}`).join('\n');
}

const tones: Readonly<Record<string, (text: string) => string>> = {
  completed: pc.green,
  enabled: pc.green,
  running: pc.cyan,
  holding: pc.yellow,
  paused: pc.yellow,
  pending: pc.dim,
  disabled: pc.red,
  failed: pc.red,
  'rolling-back': pc.red,
  'rolled-back': pc.red,
  aborted: pc.yellow,
};
export const toned = (status: string): string => (tones[status] ?? String)(status);

/** `1 204` */
export const grouped = (count: number): string => count.toLocaleString('en').replaceAll(',', ' ');

const LATEST = 253_402_300_799_999;

/** In UTC, and saying so; what no calendar has, as it is. */
export const time = (at: number | string): string => {
  const date = new Date(at);
  const isShown = Math.abs(date.getTime()) <= LATEST;
  return isShown ? `${date.toISOString().replace('T', ' ').slice(0, 19)}Z` : String(at);
};
