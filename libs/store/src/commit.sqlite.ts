import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isAppError } from '@tidegate/kernel';
import { nameFailure, spoilsTransaction } from './failure.sqlite.ts';

interface Job {
  readonly work: () => unknown;
  readonly durable: boolean;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** How many writes one transaction takes at most: bounds how long it holds up the event loop. */
const MOST = 1_000;

/**
 * Group commit: writes that arrive in the same turn of the event loop share one transaction and one fsync. Each
 * has a savepoint of its own, so one that fails takes nothing with it; only a disk that fails, fails them all.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #rolledBack: () => void;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;
  #waiting: Job[] = [];
  #scheduled = false;
  #synchronous: 'FULL' | 'NORMAL' | undefined;
  #idle: (() => void)[] = [];

  /** @param rolledBack called when work that was run did not happen. */
  constructor(database: DatabaseSync, rolledBack: () => void) {
    this.#database = database;
    this.#rolledBack = rolledBack;
    this.#savepoint = database.prepare('SAVEPOINT job');
    this.#release = database.prepare('RELEASE job');
  }

  /**
   * Runs `work` inside the next transaction and resolves with its value once that is committed: on disk, or, with
   * `durable: false`, safe from the end of this process but not from a power failure.
   */
  write<T>(work: () => T, { durable } = { durable: true }): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, durable, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when nothing waits any more. */
  drained(): Promise<void> {
    if (!this.#scheduled) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      const jobs = this.#waiting.splice(0, MOST);
      this.#scheduled = false;
      this.#commit(jobs);
      if (this.#waiting.length > 0) this.#schedule();
      else for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  #commit(jobs: readonly Job[]): void {
    const settle: (() => void)[] = [];
    try {
      this.#begin(jobs.some(({ durable }) => durable));
      for (const job of jobs) settle.push(this.#run(job));
      this.#database.exec('COMMIT');
    } catch (error) {
      const failure = nameFailure(error);
      this.#abandon();
      this.#rolledBack();
      for (const { reject } of jobs) reject(failure);
      return;
    }
    for (const tell of settle) tell();
  }

  #begin(durable: boolean): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    const synchronous = durable ? 'FULL' : 'NORMAL';
    if (synchronous !== this.#synchronous) {
      this.#database.exec(`PRAGMA synchronous=${synchronous}`);
      this.#synchronous = synchronous;
    }
    this.#database.exec('BEGIN IMMEDIATE');
  }

  #run({ work, resolve, reject }: Job): () => void {
    this.#savepoint.run();
    try {
      const value = work();
      this.#release.run();
      return () => {
        resolve(value as never);
      };
    } catch (error) {
      if (spoilsTransaction(error) || !this.#database.isTransaction) throw error;
      this.#database.exec('ROLLBACK TO job; RELEASE job');
      if (!isAppError(error)) this.#rolledBack(); // ours are thrown before anything is written
      const failure = nameFailure(error);
      return () => {
        reject(failure);
      };
    }
  }

  /** SQLite has often ended the transaction itself; a rollback that fails as well is tried again by the next begin. */
  #abandon(): void {
    try {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch (error) {
      if (!spoilsTransaction(error)) throw error;
    }
  }
}
