import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type AppError, isAppError, messageOf } from '@tidegate/kernel';
import { busError } from './errors.ts';

const FORMAT = 1;
/** "TGbu": marks a file as a bus of ours, whatever its name. */
const APPLICATION_ID = 0x54_47_62_75;

/**
 *     topics     one row per topic: its name with prefix, when it was made, its partitions' numbers, from `first` on
 *     records_n  the records of partition number n
 *     positions  of groups, by partition number: the offset to go on at
 *     attempts   records that are being handled one at a time after an unclean end, and how often
 *     marks      `open` while a process has the file
 */
const SCHEMA = `
  CREATE TABLE topics (name TEXT PRIMARY KEY, incarnation INTEGER NOT NULL, first INTEGER NOT NULL, partitions INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE positions (grp TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (grp, part)) WITHOUT ROWID;
  CREATE TABLE attempts (grp TEXT NOT NULL, part INTEGER NOT NULL, offset INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (grp, part, offset)) WITHOUT ROWID;
  CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/** The file, open for this process alone. What it throws is named: BUS_UNREACHABLE, BUS_FAILED, BUS_CLOSED. */
export class LogFile {
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  #isClosed = false;

  /** Makes the file if there is none. Thrown BUS_IN_USE, BUS_FORMAT_UNKNOWN, BUS_UNREACHABLE. */
  constructor(file: string) {
    this.#file = file;
    this.#db = openDatabase(file);
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
    this.#commit = this.#db.prepare('COMMIT');
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  prepare(sql: string): StatementSync {
    return this.#db.prepare(sql);
  }

  /** All that `run` writes, durable when this returns, or nothing. */
  transaction<T>(run: () => T): T {
    return this.named(() => {
      this.#begin.run();
      try {
        const result = run();
        this.#commit.run();
        return result;
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  named<T>(run: () => T): T {
    if (this.#isClosed) throw closedError();
    try {
      return run();
    } catch (error) {
      throw isAppError(error) ? error : sqliteError(error, this.#file);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#db.close();
  }
}

export const closedError = () => busError('BUS_CLOSED', 'The bus is closed.');

function openDatabase(file: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    db = new DatabaseSync(file);
    db.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL',
    );
    prepareFormat(db, file);
    return db;
  } catch (error) {
    db?.close();
    throw openingError(error, file);
  }
}

function prepareFormat(db: DatabaseSync, file: string): void {
  db.exec('BEGIN EXCLUSIVE');
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  const format = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  const application = Number(db.prepare('PRAGMA application_id').get()?.['application_id']);
  if (isEmpty) db.exec(SCHEMA);
  else if (application !== APPLICATION_ID)
    throw busError('BUS_FORMAT_UNKNOWN', `${file} is a database of something else, not a bus.`);
  else if (format !== FORMAT)
    throw busError(
      'BUS_FORMAT_UNKNOWN',
      `${file} has format ${format}, this release knows ${FORMAT}: it was written by a newer one.`,
    );
  db.exec('COMMIT');
}

const BUSY = 5;
const NOT_A_DATABASE = 26;
/** LOCKED, READONLY, IOERR, FULL, CANTOPEN: the disk's or the system's trouble, which may pass. */
const UNREACHABLE: ReadonlySet<number> = new Set([BUSY, 6, 8, 10, 13, 14]);

const primaryCode = (error: unknown): number | undefined =>
  has(error, 'errcode') && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;

function openingError(error: unknown, file: string): AppError {
  switch (primaryCode(error)) {
    case BUSY:
      return busError(
        'BUS_IN_USE',
        `Another process has the bus file ${file} open; only one can. Stop it, or use another data folder.`,
        { cause: error },
      );
    case NOT_A_DATABASE:
      return busError('BUS_FORMAT_UNKNOWN', `${file} is not a bus file.`, { cause: error });
    default:
      return isAppError(error) ? error : sqliteError(error, file);
  }
}

/** The bus's name of what SQLite or the file system threw; total. */
function sqliteError(error: unknown, file: string): AppError {
  const code = primaryCode(error);
  const isUnreachable = code === undefined ? isSystemError(error) : UNREACHABLE.has(code);
  return busError(
    isUnreachable ? 'BUS_UNREACHABLE' : 'BUS_FAILED',
    `The bus file ${file} cannot be used: ${messageOf(error)}`,
    { cause: error },
  );
}

/** The file system's own errors, such as ENOSPC, have no SQLite code. */
const isSystemError = (error: unknown): boolean => has(error, 'syscall') && has(error, 'errno');

const has = <N extends string>(error: unknown, name: N): error is Record<N, unknown> =>
  typeof error === 'object' && error !== null && name in error;
