import { closeSync, mkdirSync, openSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { messageOf } from '@tidegate/kernel';

const STANDARD_OUTPUT = 1;
/** Of lines that wait for a slow disk or reader; more are lost. */
const MOST_CHARACTERS = 8_388_608;
const RETRY_MS = 20;

const writeTo = promisify(write);
const opened = new Set<LineFile>();

/**
 * Lines on their way to a file, appended, or to standard output. A disk that takes no more costs lines and nothing
 * else: it is told once on standard error, and in the file how many when it takes them again.
 */
export class LineFile {
  readonly #name: string;
  readonly #fd: number;
  #waiting: string[] = [];
  #characters = 0;
  #underWay: Promise<void> | undefined;
  #lost = 0;

  /** Makes the file, and its folder, if missing. Standard output without a name. */
  constructor(file?: string) {
    this.#name = file ?? 'standard output';
    if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
    this.#fd = file === undefined ? STANDARD_OUTPUT : openSync(file, 'a');
    if (opened.size === 0) process.on('exit', flushAll);
    opened.add(this);
  }

  write(line: string): void {
    if (this.#characters + line.length > MOST_CHARACTERS)
      return this.#lose([line], 'too many wait');
    this.#waiting.push(line);
    this.#characters += line.length;
    this.#underWay ??= this.#drain();
  }

  /** Writes what waits, at once, for a process that ends. */
  flush(): void {
    const lines = this.#take();
    if (lines.length === 0) return;
    try {
      writeSync(this.#fd, lines.join(''));
    } catch (error) {
      this.#lose(lines, messageOf(error));
    }
  }

  async close(): Promise<void> {
    await this.#underWay;
    opened.delete(this);
    if (opened.size === 0) process.off('exit', flushAll);
    if (this.#fd !== STANDARD_OUTPUT) closeSync(this.#fd);
  }

  async #drain(): Promise<void> {
    for (let lines = this.#take(); lines.length > 0; lines = this.#take()) {
      const lost = this.#lost;
      try {
        if (lost > 0) await this.#writeAll(`\n${lostLine(lost)}`); // what was cut off stays a line of its own
        this.#lost -= lost;
        await this.#writeAll(lines.join(''));
      } catch (error) {
        this.#lose(lines, messageOf(error));
      }
    }
    this.#underWay = undefined;
  }

  #take(): readonly string[] {
    const lines = this.#waiting;
    this.#waiting = [];
    this.#characters = 0;
    return lines;
  }

  async #writeAll(text: string): Promise<void> {
    let rest = Buffer.from(text);
    while (rest.length > 0) {
      try {
        const { bytesWritten } = await writeTo(this.#fd, rest);
        rest = rest.subarray(bytesWritten);
      } catch (error) {
        if (!isBusy(error)) throw error;
        await wait(RETRY_MS);
      }
    }
  }

  #lose(lines: readonly string[], why: string): void {
    if (this.#lost === 0)
      process.stderr.write(`The log cannot be written to ${this.#name}, lines are lost: ${why}\n`);
    this.#lost += lines.length;
  }
}

function flushAll(): void {
  for (const each of opened) each.flush();
}

const lostLine = (lines: number): string =>
  `${JSON.stringify({ level: 'warn', lines, msg: 'lines before this one are lost: they could not be written' })}\n`;

/** A pipe whose reader is slow. */
const isBusy = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'EAGAIN';
