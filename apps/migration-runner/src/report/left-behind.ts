import type { FailedDocument } from '@tidegate/contracts';
import { isDisproved, type KnownRun } from '../migration/standing.ts';
import { isBegun } from '../run/run.ts';

/** What the last run that executed a migration has left as it was, on purpose. One that never began says nothing of that. */
export function leftBehindBy(runs: readonly KnownRun[]): readonly FailedDocument[] {
  const executing = runs.filter(
    ({ run: { work } }) => work.action === 'execute' && isBegun(work) && !work.reverting,
  );
  return newest(executing)?.run.work.failures ?? [];
}

/** The last run that verified a migration with this text; undefined where a later one found that it is not so. */
export function verifiedBy(runs: readonly KnownRun[], hash: string): string | undefined {
  const last = newest(
    runs.filter(
      ({ run }) =>
        run.work.action === 'verify' &&
        ((run.status === 'completed' && run.work.definitionHash === hash) || isDisproved(run)),
    ),
  );
  return last?.run.status === 'completed' ? last.id : undefined;
}

const newest = (runs: readonly KnownRun[]): KnownRun | undefined =>
  runs.reduce<KnownRun | undefined>(
    (last, each) => (last && last.run.work.startedAt > each.run.work.startedAt ? last : each),
    undefined,
  );
