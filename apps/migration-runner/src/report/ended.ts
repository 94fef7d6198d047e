import type {
  BackupReport,
  BatchLine,
  CleanupReport,
  ExecuteReport,
  FailedDocument,
  MigrationCounts,
  ReportFinding,
  RevertReport,
} from '@tidegate/contracts';
import { reportLimits } from '@tidegate/contracts';
import type { Migration } from '@tidegate/migration';
import type { Report } from '../run/run.ts';
import type { Choices } from './choices.ts';
import { findingIf, judged } from './findings.ts';
import { rollbackOf } from './rollback.ts';
import { shortMessage } from './shown.ts';
import { stored } from './stored.ts';
import { failureTally, shownKey } from './tally.ts';
import { bytes, documents } from '@tidegate/migration/report';

/** What a run that wrote has come to. */
export interface Worked {
  readonly batches: number;
  readonly lines: readonly BatchLine[];
  readonly workedMs: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

const worked = ({ batches, lines, workedMs, startedAt, endedAt }: Worked, done: number) => ({
  batches,
  lines: [...lines],
  tookMs: Math.max(0, endedAt - startedAt),
  workedMs,
  ...(workedMs > 0 ? { documentsPerSecond: Math.round((done * 1_000) / workedMs) } : {}),
});

export interface Executed extends Worked {
  readonly total: MigrationCounts;
  readonly sweeps: number;
  readonly failures: readonly FailedDocument[];
  /** Counted when it ended, or why that was not possible. */
  readonly left: { readonly matched: number; readonly pending: number } | { readonly why: string };
  /** Why it ended before everything was done. */
  readonly stopped?: string;
}

/** Of a run that changed documents. */
export function executeReport(
  migration: Pick<Migration, 'id' | 'down'>,
  choices: Choices,
  run: Executed,
): Report {
  const tally = failureTally();
  for (const { key, code, message } of run.failures) tally.add(key, code, message);
  const failed = run.failures.length;
  const counted = 'why' in run.left ? undefined : run.left;
  const facts = {
    about: 'documents' as const,
    action: 'execute' as const,
    ...counted,
    changed: run.total.changed,
    skipped: run.total.skipped,
    mismatched: run.total.mismatched,
    failed,
    sweeps: run.sweeps,
    ...worked(run, run.total.changed),
    failures: tally.failures(),
    rollback: rollbackOf(migration, choices),
  };
  const again = (counted?.pending ?? 0) - failed;
  const findings = [
    ...findingIf(run.stopped !== undefined, 'stopped', () => shortMessage(run.stopped ?? '')),
    ...('why' in run.left ? notCounted(run.left.why) : []),
    ...findingIf(
      again > 0 && run.stopped === undefined,
      'pending-again',
      () => `${documents(again)} are pending again: programs still write the old form.`,
    ),
    ...findingIf(
      failed > 0,
      'left-on-purpose',
      () =>
        `Left unchanged, because up fails on them or the database refuses them: ${documents(failed)}.`,
    ),
    ...findingIf(
      run.total.changed === 0 && counted?.pending === 0,
      'nothing-to-do',
      () => 'Nothing was pending.',
    ),
    ...findingIf(
      facts.rollback.length === 0,
      'cannot-be-undone',
      () => 'There are no before-images and no down: the run cannot be undone.',
    ),
  ];
  return stored({ ...facts, ...judged(findings) } satisfies ExecuteReport);
}

const notCounted = (why: string) =>
  findingIf(true, 'not-counted', () => shortMessage(`What is left could not be counted: ${why}`));

export interface Reverted extends Worked {
  readonly restored: number;
  readonly unchanged: number;
  readonly gone: number;
  /** What could not be undone, the first of them, and how many there are. */
  readonly listed: readonly { readonly key: FailedDocument['key']; readonly reason: string }[];
  readonly notUndone: number;
  /** Reads were switched to the new form before. */
  readonly wasCutOver: boolean;
}

/** Of a run that brought back what was. */
export function revertReport(run: Reverted): Report {
  const { restored, unchanged, gone, notUndone } = run;
  const listed = run.listed.slice(0, reportLimits.listed);
  const facts = {
    about: 'documents' as const,
    action: 'revert' as const,
    restored,
    unchanged,
    gone,
    ...worked(run, restored),
    listed: listed.map(({ key, reason }) => ({ key: shownKey(key), reason: shortMessage(reason) })),
    listedLeftOut: Math.max(0, notUndone - listed.length),
  };
  const findings = [
    ...findingIf(
      notUndone > 0,
      'not-undone',
      () =>
        `${documents(notUndone)} could not be undone and are as they were found: a person must look at them.`,
    ),
    ...findingIf(gone > 0, 'documents-gone', () => `${documents(gone)} are gone meanwhile.`),
    ...findingIf(
      run.wasCutOver,
      'switch-back',
      () =>
        'It was cut over: switch reads back to the old form, by its flag, if that has not been done.',
    ),
    ...findingIf(restored + notUndone === 0, 'nothing-to-do', () => 'There was nothing to undo.'),
  ];
  return stored({ ...facts, ...judged(findings) } satisfies RevertReport);
}

const NEARLY = 0.8;
type Facts<T> = Omit<T, 'about' | 'action' | 'verdict' | 'findings'>;

/** Of a run that kept what documents were, or had a snapshot made. */
export function backupReport(facts: Facts<BackupReport>): Report {
  const { bytes: used = 0, limitBytes = Infinity } = facts;
  const findings: ReportFinding[] = findingIf(
    used > NEARLY * limitBytes,
    'backup-nearly-full',
    () => `Before-images have ${bytes(used)} of at most ${bytes(limitBytes)}.`,
  );
  return stored({ about: 'documents', action: 'backup', ...facts, ...judged(findings) });
}

/** Of a run that gave the way back up. */
export const cleanupReport = (facts: Facts<CleanupReport>): Report =>
  stored({
    about: 'documents',
    action: 'cleanup',
    ...facts,
    ...judged(
      findingIf(true, 'way-back-given-up', () => 'The migration cannot be reverted any more.'),
    ),
  });
