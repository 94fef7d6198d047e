import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '@tidegate/kernel';
import type { StoreErrorCode } from './errors.ts';
import { failedCall, isBusy, nameFailure } from './failure.sqlite.ts';

/** "Tide" in ASCII: tells our files from others (sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION = 0x54_69_64_65;

/**
 * What the file holds, by layout version. `heads` are small and change often, `states` are large: apart, so that
 * a claim or a cleared outbox does not rewrite a state. `marks.seq` and `outbox.seq` count within a document,
 * `outbox.position` and `entries.position` over all.
 */
const layouts = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('epoch', 1), ('checks', 0);

  CREATE TABLE heads (
    number INTEGER PRIMARY KEY,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    token INTEGER NOT NULL,
    schema_version INTEGER NOT NULL,
    fields TEXT NOT NULL,
    fields_version INTEGER NOT NULL,
    due_at REAL,
    claimed_until REAL NOT NULL,
    last_seq INTEGER NOT NULL,
    last_mark INTEGER NOT NULL,
    owes_kill INTEGER NOT NULL,
    owes_since INTEGER,
    UNIQUE (collection, id)
  ) STRICT;
  CREATE INDEX heads_due ON heads (collection, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX heads_owing ON heads (collection, owes_kill DESC, owes_since) WHERE owes_since IS NOT NULL;

  CREATE TABLE states (head INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT;

  CREATE TABLE marks (
    head INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    source TEXT NOT NULL,
    message TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (head, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE outbox (
    position INTEGER PRIMARY KEY,
    head INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    is_kill INTEGER NOT NULL,
    message TEXT NOT NULL,
    UNIQUE (head, seq)
  ) STRICT;

  CREATE TABLE entries (
    position INTEGER PRIMARY KEY,
    projection TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (projection, id, key)
  ) STRICT;
  CREATE INDEX entries_in_order ON entries (projection, id, version, position);

  CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until REAL NOT NULL,
    count INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
] as const;

/** Whoever had a lease or a claim is gone: the file has one process at a time, and now this one has it. */
const FREE = `
  UPDATE leases SET until = 0;
  UPDATE heads SET claimed_until = 0 WHERE due_at IS NOT NULL AND claimed_until > 0;
`;

/**
 * Opens the file, made if missing, for this process alone, in the present layout. The lock is a POSIX lock: it is
 * lost when this process opens and closes the file by another way, so nothing else may read it meanwhile.
 * Thrown STORE_IN_USE, STORE_SCHEMA_NEWER, STORE_UNREACHABLE, STORE_FAILED.
 */
export function openDatabase(file: string): DatabaseSync {
  const folder = dirname(resolve(file));
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    database = new DatabaseSync(file);
    database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL');
    database.exec('PRAGMA cache_size=-16000; PRAGMA journal_size_limit=67108864');
    database.exec('PRAGMA synchronous=FULL; BEGIN IMMEDIATE');
    layOut(database, file);
    database.exec(FREE);
    database.exec('COMMIT');
    return database;
  } catch (error) {
    database?.close();
    throw nameOpening(error, file, folder);
  }
}

function layOut(database: DatabaseSync, file: string): void {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  const isNew = version === 0 && pragma(database, 'schema_version') === 0;
  if (!isNew && application !== APPLICATION)
    throw new AppError<StoreErrorCode>('STORE_FAILED', `${file} is no store of Tidegate.`);
  if (version > layouts.length)
    throw new AppError<StoreErrorCode>(
      'STORE_SCHEMA_NEWER',
      `${file} was written by a newer release (layout ${version}, known up to ${layouts.length}).`,
    );
  for (const statements of layouts.slice(version)) database.exec(statements);
  if (version < layouts.length) {
    database.exec(`PRAGMA application_id=${APPLICATION}; PRAGMA user_version=${layouts.length}`);
  }
}

const pragma = (database: DatabaseSync, name: string): number =>
  Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);

function nameOpening(error: unknown, file: string, folder: string): AppError<StoreErrorCode> {
  if (isBusy(error))
    return new AppError(
      'STORE_IN_USE',
      `The data folder ${folder} is in use by another process: stop that one, or choose another folder.`,
      { cause: error, data: { folder } },
    );
  if (failedCall(error) !== undefined)
    return new AppError('STORE_UNREACHABLE', `The folder ${folder} cannot be made or entered.`, {
      cause: error,
      retryable: true,
    });
  const named = nameFailure(error);
  if (named === error) return named;
  return new AppError(named.code, `${file} cannot be opened. ${named.message}`, {
    cause: error,
    retryable: named.retryable,
  });
}
