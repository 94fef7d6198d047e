import type {
  BatchLine,
  DraftOf,
  MigrationBatchApplied,
  MigrationEvent,
  MigrationRevertStarted,
  MigrationStarted,
} from '@tidegate/contracts';
import type { Fact } from '@tidegate/kernel';
import { withBatch } from '../report/batch-lines.ts';
import { rateAfter, rateFrom } from '../flow/rate.ts';
import { nothingYet, type Run, type Work } from './run.ts';

export function evolveRun(run: Run, { type, data, metadata }: Fact<MigrationEvent>): Run {
  if (type === 'MigrationStarted') return { status: 'running', work: begun(data, metadata.at) };
  if (run.status === 'absent') return run;
  const { work } = run;
  const endedAt = metadata.at;
  switch (type) {
    case 'MigrationMeasured': {
      const { expected, fence = work.fence, journalFrom = work.journalFrom } = data;
      return { ...run, work: { ...goingFrom(work, endedAt), expected, fence, journalFrom } };
    }
    case 'MigrationBatchApplied':
      return { ...run, work: counted(work, data, endedAt) };
    case 'MigrationSweepEnded': {
      const swept = { sweep: data.sweep + 1, changedInSweep: 0, checkpoint: undefined };
      return { ...run, work: { ...work, ...swept } };
    }
    case 'MigrationThrottled': {
      const { because, message } = data;
      return { ...run, work: { ...work, throttled: { because, message, since: endedAt } } };
    }
    case 'MigrationUnthrottled':
      return { ...run, work: free(goingFrom(work, endedAt)) };
    case 'MigrationRevertStarted':
      return { ...run, work: reverting(work, data, endedAt) };
    case 'MigrationPaused':
      return { status: 'paused', work, by: data.by, reason: data.reason };
    case 'MigrationResumed':
      return { status: 'running', work: goingFrom(waitingFrom(work, endedAt), endedAt) };
    case 'MigrationCompleted':
      return { status: 'completed', work: free(work), endedAt, report: data.report };
    case 'MigrationFailed': {
      const { code, message, report, reverted } = data;
      return { status: 'failed', work: free(work), endedAt, code, message, report, reverted };
    }
    case 'MigrationCancelled':
      return { status: 'cancelled', work: free(work), endedAt, by: data.by };
  }
}

type Started = DraftOf<typeof MigrationStarted>['data'];
type Applied = DraftOf<typeof MigrationBatchApplied>['data'];
type RevertStarted = DraftOf<typeof MigrationRevertStarted>['data'];

const begun = ({ run: _run, ...asked }: Started, startedAt: number): Work => ({
  ...asked,
  startedAt,
  sweep: 1,
  batches: 0,
  changedInSweep: 0,
  total: nothingYet,
  fence: 0,
  workedMs: 0,
  rate: rateFrom(undefined, startedAt),
  failures: [],
});

const free = (work: Work): Work => ({ ...work, throttled: undefined });

/** While it was paused it did not wait. */
const waitingFrom = ({ throttled, ...work }: Work, since: number): Work =>
  throttled ? { ...work, throttled: { ...throttled, since } } : work;

/** Time before this says nothing of how fast it is. */
const goingFrom = (work: Work, at: number): Work => ({ ...work, rate: rateFrom(work.rate, at) });

const counted = (work: Work, data: Applied, at: number): Work => ({
  ...work,
  batches: data.batch,
  lines: withBatch(work.lines ?? [], lineOf(data, at)),
  checkpoint: data.last,
  total: data.total,
  changedInSweep: work.changedInSweep + data.batchCounts.changed,
  fence: data.fence,
  workedMs: work.workedMs + data.tookMs,
  rate: rateAfter(work.rate, batchOf(work, data), at),
  failures: [...work.failures, ...(data.failures ?? [])],
  nextSize: data.nextSize ?? work.nextSize,
  journalAt: data.journalAt ?? work.journalAt,
});

const lineOf = ({ batch, first, last, batchCounts, tookMs }: Applied, at: number): BatchLine => {
  const { changed, skipped, mismatched, failed = 0 } = batchCounts;
  return { batch, batches: 1, first, last, changed, skipped, mismatched, failed, tookMs, at };
};
const batchOf = ({ flow }: Work, { batchCounts, tookMs }: Applied) => ({
  documents: batchCounts.matched,
  tookMs,
  niceRatio: flow?.niceRatio,
});

/** Counts anew what is undone; how far the work had come is no place to go on from. */
const reverting = (work: Work, { code, message, report }: RevertStarted, at: number): Work => ({
  ...work,
  reverting: { code, message, before: work.total, ...(report ? { report } : {}) },
  total: nothingYet,
  checkpoint: undefined,
  journalAt: undefined,
  nextSize: undefined,
  expected: undefined,
  throttled: undefined,
  lines: [],
  workedMs: 0,
  rate: rateFrom(undefined, at),
});
