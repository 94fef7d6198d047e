import { AppError } from '@tidegate/kernel';
import type { Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Columns } from './columns.postgres.ts';
import type { Texts } from './connection.postgres.ts';
import { decoded } from './values.postgres.ts';

export const rowsOf = (rows: readonly Texts[], columns: Columns): readonly Row[] =>
  rows.map((row) => {
    const values: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(row)) {
      const column = columns.get(name);
      if (!column) throw addedMeanwhile(name);
      values[name] = decoded(column.kind, text);
    }
    return values;
  });

const addedMeanwhile = (name: string) =>
  new AppError<MigrationErrorCode>(
    'MIGRATION_TARGET_UNREACHABLE',
    `The column ${name} was added while the table was read.`,
    { retryable: true },
  );
