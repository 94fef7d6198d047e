import type { MigrationCounts } from '@tidegate/contracts';
import type { Command } from '@tidegate/kernel';
import type { Key, Report } from './run.ts';

interface Internal<T extends string, D> extends Command {
  readonly type: T;
  readonly data: D;
}
/** What the runner's own loop found; `fence` is the token of its lease. */
export type RunnerCommand =
  | Internal<
      'RecordBatch',
      {
        readonly fence: number;
        readonly first: Key;
        readonly last: Key;
        readonly counts: MigrationCounts;
        readonly tookMs: number;
      }
    >
  | Internal<'EndSweep', { readonly fence: number; readonly left: number }>
  | Internal<'FinishRun', { readonly fence: number; readonly report: Report }>
  | Internal<
      'FailRun',
      { readonly fence: number; readonly code: string; readonly message: string }
    >;
