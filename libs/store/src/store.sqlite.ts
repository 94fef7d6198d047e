import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@tidegate/kernel';
import { GroupCommit } from './commit.sqlite.ts';
import type { Collection, Documents } from './documents.port.ts';
import { SqliteDocuments } from './documents.sqlite.ts';
import { openDatabase } from './layout.sqlite.ts';
import type { Leases } from './leases.port.ts';
import { sqliteLeases } from './leases.sqlite.ts';
import { storeMissing } from './document.ts';
import { Marks } from './marks.sqlite.ts';
import type { Projection } from './projection.port.ts';
import { SqliteProjection } from './projection.sqlite.ts';
import type { Store } from './store.port.ts';

export interface SqliteStoreOptions {
  /** Made if missing, with its folder. */
  readonly file: string;
  readonly clock: Clock;
  /** Nothing is made: Thrown STORE_MISSING. */
  readonly mustExist?: boolean;
}

/**
 * A store in one file, for one process at a time. What it resolves is on disk (WAL, synchronous FULL, group commit).
 * Thrown STORE_IN_USE when another process has the file; STORE_SCHEMA_NEWER, STORE_UNREACHABLE, STORE_FAILED.
 */
export async function openSqliteStore({
  file,
  clock,
  mustExist = false,
}: SqliteStoreOptions): Promise<SqliteStore> {
  if (mustExist && !existsSync(file)) throw storeMissing(`There is no file ${file}.`);
  return new SqliteStore(openDatabase(file), clock);
}

export class SqliteStore implements Store {
  readonly epoch: number;
  readonly leases: Leases;
  readonly #database: DatabaseSync;
  readonly #commit: GroupCommit;
  readonly #marks: Marks;

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database;
    this.#marks = new Marks(database);
    this.#commit = new GroupCommit(database, () => {
      this.#marks.forget();
    });
    this.epoch = Number(
      database.prepare("SELECT value FROM meta WHERE name = 'epoch'").get()?.['value'],
    );
    this.leases = sqliteLeases(database, this.#commit, clock, this.epoch);
  }

  documents<S>(collection: Collection<S>): Documents<S> {
    return new SqliteDocuments(this.#database, this.#commit, this.#marks, collection, this.epoch);
  }

  projection<R>(name: string): Projection<R> {
    return new SqliteProjection(this.#database, this.#commit, name);
  }

  check(): Promise<void> {
    return this.#commit.write(
      () => {
        this.#database.exec("UPDATE meta SET value = value + 1 WHERE name = 'checks'");
      },
      { durable: false },
    );
  }

  /**
   * For an operator, after an older backup was put back: the next start counts everything as newer than what was
   * published before. Returns the new epoch; this store itself goes on with the old one and should be closed.
   */
  raiseEpoch(): Promise<number> {
    const raise = this.#database.prepare(
      "UPDATE meta SET value = value + 1 WHERE name = 'epoch' RETURNING value",
    );
    return this.#commit.write(() => Number(raise.get()?.['value']));
  }

  async close(): Promise<void> {
    await this.#commit.drained();
    if (this.#database.isOpen) this.#database.close();
  }
}
