import type { SchemaReport } from '@tidegate/contracts';
import type { SchemaMigration } from '@tidegate/migration';
import type { Report } from '../run/run.ts';
import type { Target } from '../target/target.port.ts';
import { findingIf, judged, whyNot } from './findings.ts';
import { stored } from './stored.ts';

/**
 * What of a schema migration is there. `failure`: it is not, though the action says that it should be.
 * @param how `isLeft`: a revert that leaves it to others
 */
export async function schemaReport(
  migration: SchemaMigration,
  action: SchemaReport['action'],
  target: Target,
  how: { readonly isLeft?: boolean } = {},
): Promise<{ report: Report; failure?: string }> {
  const missing = [...(await target.schema.missing(migration))];
  const isExpected = action === 'execute' || action === 'verify';
  const facts = {
    about: 'schema' as const,
    action,
    server: await target.server(),
    wanted: wantedBy(migration),
    missing,
  };
  const { verdict, findings } = judged([
    ...findingIf(
      isExpected && missing.length > 0,
      'schema-missing',
      () => `Not there: ${missing.join('; ')}.`,
    ),
    ...findingIf(
      action === 'plan' && missing.length === 0,
      'nothing-to-do',
      () => 'All of it is there already.',
    ),
    ...findingIf(
      how.isLeft === true,
      'nothing-to-do',
      () => 'It stays: it was executed by others as well, not by this rollout alone.',
    ),
  ]);
  const failure = whyNot(findings);
  const report = stored({ ...facts, verdict, findings });
  return failure === undefined ? { report } : { report, failure };
}

const wantedBy = ({ indexes = [], columns = [], validators = [] }: SchemaMigration): string[] => [
  ...indexes.map(
    ({ name, fields, unique }) =>
      `${unique === true ? 'unique index' : 'index'} ${name} on ${Object.entries(fields)
        .map(([field, order]) => (order === 1 ? field : `${field} (descending)`))
        .join(', ')}`,
  ),
  ...columns.map(({ name, type }) => `column ${name} ${type}`),
  ...validators.map(({ name }) => `rule ${name}`),
];
