import type {
  DraftOf,
  FailedDocument,
  MigrationCounts,
  MigrationThrottled,
} from '@tidegate/contracts';
import type { Command } from '@tidegate/kernel';
import type { Key, Report } from './run.ts';

interface Internal<T extends string, D> extends Command {
  readonly type: T;
  readonly data: D;
}
interface Fenced {
  /** The token of the runner's lease. */
  readonly fence: number;
}
/** What the runner's own loop found. */
export type RunnerCommand =
  | Internal<
      'MeasureRun',
      Fenced & {
        readonly expected: number;
        /** Of an execute: the top of the journal before it keeps anything. */
        readonly journalFrom?: number;
      }
    >
  | Internal<
      'RecordBatch',
      Fenced & {
        readonly first: Key;
        readonly last: Key;
        readonly counts: MigrationCounts;
        readonly tookMs: number;
        readonly failures?: readonly FailedDocument[];
        readonly nextSize?: number;
        /** The place in the journal that was dealt with, as in Work. */
        readonly journalAt?: number;
      }
    >
  /** Undefined: throttled no longer. */
  | Internal<
      'ThrottleRun',
      Fenced & {
        readonly throttle:
          { readonly because: ThrottleReason; readonly message: string } | undefined;
      }
    >
  | Internal<'EndSweep', Fenced & { readonly left: number }>
  | Internal<'FinishRun', Fenced & { readonly report: Report }>
  /** With `onFailure: revert` the run goes on, undoing, and a second FailRun (or FinishRun) ends it. */
  | Internal<
      'FailRun',
      Fenced & { readonly code: string; readonly message: string; readonly report?: Report }
    >;

export type ThrottleReason = DraftOf<typeof MigrationThrottled>['data']['because'];
