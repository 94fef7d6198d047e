import type { MigrationAction, MigrationCounts } from '@tidegate/contracts';
import type { KnownRun } from './standing.ts';

/** One line of a migration's log. */
export interface LogEntry {
  /** In ms since 1970. */
  readonly at: number;
  readonly status: 'STARTED' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'ROLLED_BACK';
  readonly run: string;
  readonly action: MigrationAction;
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  /** Of the text that ran. */
  readonly hash: string;
  /** Why another text than before was right. */
  readonly acceptChange?: string | undefined;
  readonly counts?: MigrationCounts;
  readonly tookMs?: number;
  readonly code?: string;
  readonly message?: string;
}

/** What was done with one migration, oldest first. A revert that has ended, also one of a run that failed, is ROLLED_BACK. */
export const logOf = (runs: readonly KnownRun[]): readonly LogEntry[] =>
  runs.flatMap(entriesOf).sort((a, b) => a.at - b.at);

function entriesOf({ id, run }: KnownRun): LogEntry[] {
  const { action, by, reason, definitionHash: hash, startedAt, acceptChange } = run.work;
  const about = { run: id, action, hash };
  const started: LogEntry = {
    at: startedAt,
    status: 'STARTED',
    ...about,
    by,
    reason,
    acceptChange,
  };
  if (run.status === 'running' || run.status === 'paused') return [started];
  const { endedAt: at } = run;
  const end = { at, ...about, tookMs: at - startedAt };
  return [started, ...endsOf(run).map((each) => ({ ...end, ...each }))];
}

type Ended = Extract<KnownRun['run'], { endedAt: number }>;

function endsOf(run: Ended): Pick<LogEntry, 'status' | 'counts' | 'code' | 'message' | 'by'>[] {
  const { action, total: counts, reverting } = run.work;
  switch (run.status) {
    case 'completed':
      return [{ status: action === 'revert' ? 'ROLLED_BACK' : 'COMPLETED', counts }];
    case 'cancelled':
      return [{ status: 'CANCELLED', counts: reverting?.before ?? counts, by: run.by }];
    case 'failed': {
      const { code, message, reverted } = run;
      const failed = {
        status: 'FAILED' as const,
        counts: reverting?.before ?? counts,
        code,
        message,
      };
      return reverted ? [failed, { status: 'ROLLED_BACK', counts: reverted }] : [failed];
    }
  }
}
