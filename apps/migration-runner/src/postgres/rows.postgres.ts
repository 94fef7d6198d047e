import { AppError } from '@tidegate/kernel';
import type { Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Columns } from './columns.postgres.ts';
import type { Table } from './connection.postgres.ts';
import { decoded } from './values.postgres.ts';

/** No column is likely to have such a name; a table that has one is read without versions. */
const VERSION = 'tidegate:version';
const VERSIONS = new WeakMap<Row, string>();

/** What is selected to read rows with their versions: the transaction that made them what they are. */
export const allOf = (columns: Columns): string =>
  columns.hasVersions && !columns.has(VERSION) ? `*, xmin AS "${VERSION}"` : '*';

/** Another one than when it was read: somebody edited the row meanwhile. Undefined: not known. */
export const versionOf = (row: Row): string | undefined => VERSIONS.get(row);

/** Of `SELECT *`. Thrown MIGRATION_TARGET_UNREACHABLE, to be tried again, where the table has got other columns. */
export function rowsOf({ names, columns: found, rows }: Table, columns: Columns): readonly Row[] {
  const kinds = names.map((name) => columns.get(name)?.kind);
  const version = names.indexOf(VERSION);
  const isKnown = kinds.every((kind, at) => kind !== undefined || at === version);
  if (!columns.isStill(found) || !isKnown) throw new ColumnsChanged();
  return rows.map((texts) => {
    const row: Record<string, unknown> = {};
    for (const [at, kind] of kinds.entries())
      if (kind) row[names[at] as string] = decoded(kind, texts[at] as string | null);
    const text = texts[version];
    if (typeof text === 'string') VERSIONS.set(row, text);
    return row;
  });
}

/** Once more when the table has got other columns since they were asked for. */
export async function onceMore<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ColumnsChanged)) throw error;
    return read();
  }
}

class ColumnsChanged extends AppError<MigrationErrorCode> {
  constructor() {
    const message = 'The columns of the table were changed while it was read.';
    super('MIGRATION_TARGET_UNREACHABLE', message, { retryable: true });
  }
}
