import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, isRejection, messageOf } from '@tidegate/kernel';
import type { SdkErrorCode } from './errors.ts';
import type { FlagSink, FlagSource } from './flag-source.port.ts';
import { readSnapshotText } from './read-snapshot.ts';

export interface FileSourceOptions {
  readonly file: string;
  /** Read again so often, also where nothing tells of changes. */
  readonly rereadEveryMs: number;
}

/** A file that is being written is told of several times, and is not whole at first. */
const SETTLED_AFTER_MS = 25;

/**
 * Flags from a file in the form of the snapshot, as often as it changes. The file is all there is: revisions do not
 * count, and a flag that is not in it any more is gone. One that cannot be read is reported; what is held stays.
 */
export class FileFlagSource implements FlagSource {
  readonly #options: FileSourceOptions;
  readonly #sink: FlagSink;
  readonly #timer: NodeJS.Timeout;
  readonly #watcher: FSWatcher | undefined;
  #soon: NodeJS.Timeout | undefined;
  #reading: Promise<void>;
  #isAskedAgain = false;
  #isReading = true;
  #isClosed = false;
  #text: string | undefined;
  #problem: string | undefined;

  constructor(options: FileSourceOptions, sink: FlagSink) {
    this.#options = options;
    this.#sink = sink;
    this.#watcher = this.#watch();
    this.#timer = setInterval(() => {
      this.#read();
    }, options.rereadEveryMs).unref();
    this.#reading = this.#readOnce();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#watcher?.close();
    await this.#reading;
  }

  /** The folder: a file that is replaced, or linked anew, is another one. */
  #watch(): FSWatcher | undefined {
    const folder = dirname(this.#options.file);
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#soon ??= setTimeout(() => {
          this.#soon = undefined;
          this.#read();
        }, SETTLED_AFTER_MS).unref();
      });
      return watcher.on('error', (error) => {
        this.#failed(`${folder} cannot be watched`, error);
      });
    } catch (error) {
      this.#failed(`${folder} cannot be watched`, error);
      return undefined;
    }
  }

  #read(): void {
    if (this.#isClosed) return;
    this.#isAskedAgain = this.#isReading;
    if (!this.#isReading) this.#reading = this.#readOnce();
  }

  async #readOnce(): Promise<void> {
    this.#isReading = true;
    const { file } = this.#options;
    try {
      const text = await readFile(file, 'utf8');
      if (!this.#isClosed) this.#take(text);
    } catch (error) {
      this.#failed(`${file} cannot be read`, error);
    }
    this.#isReading = false;
    if (this.#isAskedAgain) this.#read();
  }

  #take(text: string): void {
    const { file } = this.#options;
    if (text === this.#text) {
      this.#problem = undefined;
      return this.#sink.heard();
    }
    const read = readSnapshotText(text, file);
    if (isRejection(read)) return this.#failed(`${file} holds no flags`, new Error(read.message));
    this.#text = text;
    this.#problem = undefined;
    this.#sink.replace(read.states);
    for (const problem of read.problems)
      this.#sink.failed(new AppError('SDK_MESSAGE_INVALID', problem));
  }

  /** Told when it begins, not each time that the file is read again. */
  #failed(what: string, cause: unknown): void {
    const message = `${what}: ${messageOf(cause)}`;
    if (this.#isClosed || message === this.#problem) return;
    this.#problem = message;
    const error: AppError<SdkErrorCode> = new AppError('SDK_FILE_FAILED', message, {
      retryable: true,
      cause,
    });
    this.#sink.failed(error);
  }
}
