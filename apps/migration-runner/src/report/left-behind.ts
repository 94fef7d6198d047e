import type { FailedDocument } from '@tidegate/contracts';
import type { KnownRun } from '../migration/standing.ts';

/** What the last run that executed a migration has left as it was, on purpose. */
export function leftBehindBy(runs: readonly KnownRun[]): readonly FailedDocument[] {
  const executing = runs.filter(
    ({ run: { work } }) => work.action === 'execute' && !work.reverting,
  );
  return newest(executing)?.run.work.failures ?? [];
}

/** The last run that verified a migration with this text. */
export const verifiedBy = (runs: readonly KnownRun[], hash: string): string | undefined =>
  newest(
    runs.filter(
      ({ run: { status, work } }) =>
        status === 'completed' && work.action === 'verify' && work.definitionHash === hash,
    ),
  )?.id;

const newest = (runs: readonly KnownRun[]): KnownRun | undefined =>
  runs.reduce<KnownRun | undefined>(
    (last, each) => (last && last.run.work.startedAt > each.run.work.startedAt ? last : each),
    undefined,
  );
