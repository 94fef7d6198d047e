import { AppError, isRejection, messageOf } from '@tidegate/kernel';
import type { FlagSnapshot, ViewRecord } from '@tidegate/contracts';
import type { Bootstrap } from './bootstrap.port.ts';
import type { SdkErrorCode } from './errors.ts';
import { readSnapshotText } from './read-snapshot.ts';

/** Of a client whose flags are kept. */
export interface Keeping {
  /** Flags that were kept for another one are not taken. */
  readonly environment: string;
  snapshot(): FlagSnapshot;
  /** How old the snapshot is; undefined: there is none yet. */
  ageMs(): number | undefined;
  take(states: readonly ViewRecord[], ageMs: number): void;
  failed(error: AppError<SdkErrorCode>): void;
}

/** So often that the age of what is kept stays about right, although nothing changes. */
const SAVE_UNCHANGED_AFTER_MS = 60_000;

/** Reads flags of an earlier run once, and keeps those of this one: one save at a time, no more often than is wanted. */
export class Keeper {
  readonly #bootstrap: Bootstrap;
  readonly #keeping: Keeping;
  readonly #loading: Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> | undefined;
  #isChanged = false;
  #savedAt = -Infinity;
  #closing: Promise<void> | undefined;

  constructor(bootstrap: Bootstrap, keeping: Keeping) {
    this.#bootstrap = bootstrap;
    this.#keeping = keeping;
    this.#loading = this.#load();
  }

  /** All there is has come, or some of it has changed. */
  changed(): void {
    this.#isChanged = true;
    this.#later();
  }

  /** What is held is still current. */
  heard(): void {
    if (performance.now() - this.#savedAt > SAVE_UNCHANGED_AFTER_MS) this.changed();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#loading;
    await this.#saving;
    if (this.#isChanged) await this.#save();
    await this.#bootstrap.close();
  }

  async #load(): Promise<void> {
    try {
      const kept = await this.#bootstrap.load();
      if (kept) this.#take(kept.text, kept.at ?? Date.now());
    } catch (error) {
      this.#failed('read', error);
    }
  }

  #take(text: string, at: number): void {
    const read = readSnapshotText(text, 'What was kept');
    if (isRejection(read)) return this.#failed('read', new Error(read.message));
    const { environment, savedAt } = read.value as { environment?: unknown; savedAt?: unknown };
    if (environment !== undefined && environment !== this.#keeping.environment)
      return this.#failed(
        'read',
        new Error(`they are of the environment ${JSON.stringify(environment)}`),
      );
    const currentAt = typeof savedAt === 'number' ? savedAt : at;
    this.#keeping.take(read.states, Math.max(0, Date.now() - currentAt));
    for (const problem of read.problems) this.#failed('read', new Error(problem));
  }

  #later(): void {
    const { save, saveEveryMs } = this.#bootstrap;
    if (!save || this.#timer || this.#saving || this.#closing) return;
    const waitMs = Math.max(0, this.#savedAt + saveEveryMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#saving = this.#save().finally(() => {
        this.#saving = undefined;
        if (this.#isChanged) this.#later();
      });
    }, waitMs).unref();
  }

  async #save(): Promise<void> {
    const ageMs = this.#keeping.ageMs();
    if (ageMs === undefined) return;
    const { environment } = this.#keeping;
    const savedAt = Math.round(Date.now() - ageMs);
    this.#isChanged = false;
    this.#savedAt = performance.now();
    try {
      const text = JSON.stringify({ environment, savedAt, ...this.#keeping.snapshot() });
      await this.#bootstrap.save?.(text);
    } catch (error) {
      this.#failed('kept', error);
    }
  }

  #failed(done: 'read' | 'kept', cause: unknown): void {
    const message = `The flags of an earlier run were not ${done}: ${messageOf(cause)}`;
    this.#keeping.failed(
      new AppError('SDK_BOOTSTRAP_FAILED', message, { retryable: done === 'kept', cause }),
    );
  }
}
