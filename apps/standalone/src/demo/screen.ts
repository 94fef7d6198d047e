import logUpdate from 'log-update';
import pc from 'picocolors';

/** Where the demo tells its story: a live picture on a terminal, lines elsewhere, nothing with --json. */
export interface Screen {
  /** Stays. */
  line(text?: string): void;
  /** Replaced by the next `live` or `line`. */
  live(text: string): void;
  /** The last `live` stays. */
  keep(text: string): void;
}

export function createScreen(mode: 'terminal' | 'lines' | 'silent'): Screen {
  if (mode === 'silent') return { line: () => {}, live: () => {}, keep: () => {} };
  const line = (text = ''): void => void process.stdout.write(`${text}\n`);
  if (mode === 'lines') return { line, live: () => {}, keep: line };
  return {
    line: (text) => {
      logUpdate.clear();
      line(text);
    },
    live: (text) => logUpdate(text),
    keep: (text) => {
      logUpdate(text);
      logUpdate.done();
    },
  };
}

export const done = (text: string, note = ''): string =>
  `${pc.green('✔')} ${text}${note === '' ? '' : `  ${pc.dim(note)}`}`;
export const failed = (text: string): string => `${pc.red('✘')} ${text}`;
export const chapter = (text: string): string => `\n${pc.bold(text)}\n`;
