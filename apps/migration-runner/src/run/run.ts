import type {
  BatchLine,
  DraftOf,
  FailedDocument,
  MigrationAction,
  MigrationCompleted,
  MigrationCounts,
  MigrationFlow,
  RolloutRef,
} from '@tidegate/contracts';
import type { MigrationErrorCode } from '../errors.ts';
import type { Rate } from '../flow/rate.ts';

export type Key = string | number;

/** What every run that was accepted carries. `checkpoint` is the key of the last document dealt with in this sweep. */
export interface Work {
  readonly migration: string;
  readonly action: MigrationAction;
  /** The most documents in a batch. */
  readonly batchSize: number;
  readonly minBatchSize?: number | undefined;
  readonly sampleSize: number;
  readonly onError?: 'stop' | 'skip' | 'quarantine' | undefined;
  readonly maxErrors?: number | undefined;
  readonly backup?: 'none' | 'before-images' | undefined;
  readonly onFailure?: 'stop' | 'revert' | undefined;
  readonly flow?: MigrationFlow | undefined;
  readonly acceptChange?: string | undefined;
  /** Who asked for it. */
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  readonly definitionHash: string;
  readonly rollout?: RolloutRef | undefined;
  readonly startedAt: number;
  readonly sweep: number;
  readonly batches: number;
  readonly checkpoint?: Key | undefined;
  /** Changed in the present sweep: a sweep that changes nothing cannot be followed by another. */
  readonly changedInSweep: number;
  readonly total: MigrationCounts;
  /** The greatest lease token that has counted or written. */
  readonly fence: number;
  /** How large the next batch is to be; undefined: batchSize. */
  readonly nextSize?: number | undefined;
  /** How much there was to do when the work began; undefined until it was counted. */
  readonly expected?: number | undefined;
  /** Summed time of batches. */
  readonly workedMs: number;
  /** Its batches, put together where they are many. */
  readonly lines?: readonly BatchLine[] | undefined;
  /** How fast it has been lately. */
  readonly rate?: Rate | undefined;
  /** Left as they were, as `onError` says; at most `maxErrors`. */
  readonly failures: readonly FailedDocument[];
  /** Why no batch is begun for now. */
  readonly throttled?:
    { readonly because: string; readonly message: string; readonly since: number } | undefined;
  /** Of an execute: the place in the journal above which it keeps what it changes. */
  readonly journalFrom?: number | undefined;
  /**
   * Of a revert: the place in the journal down to which it has undone. Of an execute: up to there, what it kept is either
   * recorded or not written; the numbers of batches that lie there say no more than that.
   */
  readonly journalAt?: number | undefined;
  /** What failed, while that is being undone; `total` counts what is undone from then on, `before` what was done. */
  readonly reverting?:
    | {
        readonly code: string;
        readonly message: string;
        readonly before: MigrationCounts;
        readonly report?: Report | undefined;
      }
    | undefined;
}

export type Run =
  | { readonly status: 'absent' }
  | { readonly status: 'running'; readonly work: Work }
  | {
      readonly status: 'paused';
      readonly work: Work;
      readonly by: string;
      readonly reason: string;
    }
  | {
      readonly status: 'completed';
      readonly work: Work;
      readonly endedAt: number;
      readonly report: Report;
    }
  | {
      readonly status: 'failed';
      readonly work: Work;
      readonly endedAt: number;
      readonly code: string;
      readonly message: string;
      readonly report?: Report | undefined;
      readonly reverted?: MigrationCounts | undefined;
    }
  | {
      readonly status: 'cancelled';
      readonly work: Work;
      readonly endedAt: number;
      readonly by: string;
    };

export type Report = DraftOf<typeof MigrationCompleted>['data']['report'];

export const initialRun: Run = { status: 'absent' };

export const nothingYet: MigrationCounts = { matched: 0, changed: 0, skipped: 0, mismatched: 0 };

/** What a run is about, in each of its events. */
export const about = (id: string, work: Pick<Work, 'migration' | 'action' | 'rollout'>) => ({
  run: id,
  migration: work.migration,
  action: work.action,
  ...(work.rollout ? { rollout: work.rollout } : {}),
});

/** A run that undoes only what it has changed itself: the place in the journal where that begins. Undefined: any other. */
export const undoesItselfFrom = ({ action, reverting, journalFrom }: Work): number | undefined =>
  action === 'execute' && reverting ? journalFrom : undefined;

/** Whether something may have been begun before a failure with this code. */
export const mayUndo = (code: string): boolean => !UNBEGUN.has(code);

/** Whether a run has begun, so that it may have changed something. What there is to do is counted before. */
export const isBegun = ({ batches, expected, reverting }: Work): boolean =>
  batches > 0 || expected !== undefined || reverting !== undefined;

/** A run undoes where it may have written, or has found that what was written is wrong; not because it could not look. */
export const callsForUndoing = (work: Work, code: string): boolean =>
  work.onFailure === 'revert' &&
  mayUndo(code) &&
  code !== OVERTAKEN &&
  (work.action === 'verify'
    ? code === ('MIGRATION_NOT_VERIFIED' satisfies MigrationErrorCode)
    : work.expected !== undefined || work.batches > 0);

/** Undoing would be on top of what another run did since. */
export const OVERTAKEN = 'MIGRATION_OVERTAKEN' satisfies MigrationErrorCode;

const UNBEGUN: ReadonlySet<string> = new Set<MigrationErrorCode>([
  'MIGRATION_NOT_READY',
  'MIGRATION_CHANGED',
  'MIGRATION_NOTHING_MATCHED',
]);
