import type { MigrationCounts, MigrationEvent } from '@tidegate/contracts';
import { asSentence, type Decision, reject, type Rejection } from '@tidegate/kernel';
import { documents } from '@tidegate/migration/report';
import { about, callsForUndoing, type Report, type Run, type Work } from './run.ts';
import type { RunnerCommand } from './runner-command.ts';

/** What the runner's loop found. A batch that was under way when the run was paused or cancelled is recorded: it is written. */
export function recordRun(id: string, command: RunnerCommand, run: Run): Decision<MigrationEvent> {
  const work = activeFor(command, run);
  if ('rejected' in work) return work;
  const data = about(id, work);
  switch (command.type) {
    case 'MeasureRun': {
      if (command.data.expected === work.expected) return [];
      return [{ type: 'MigrationMeasured', data: { ...data, ...command.data } }];
    }
    case 'ThrottleRun': {
      const { throttle } = command.data;
      if (throttle?.because === work.throttled?.because) return [];
      return throttle
        ? [{ type: 'MigrationThrottled', data: { ...data, ...throttle } }]
        : [{ type: 'MigrationUnthrottled', data }];
    }
    case 'RecordBatch':
      return [batchApplied(id, work, command.data)];
    case 'EndSweep':
      return sweepEnded(id, work, command.data.left);
    case 'FinishRun':
      return [finished(id, work, command.data.report)];
    case 'FailRun':
      return [failed(id, work, command.data)];
  }
}

function activeFor({ type, data }: RunnerCommand, run: Run): Work | Rejection {
  const isActive = run.status === 'running' || run.status === 'paused';
  if (!isActive && !(run.status === 'cancelled' && type === 'RecordBatch'))
    return reject('RUN_ENDED', `The run is ${run.status}.`);
  return data.fence < run.work.fence
    ? reject('RUN_LEASE_LOST', 'Another runner has taken this run over.')
    : run.work;
}

type Of<T extends RunnerCommand['type']> = Extract<RunnerCommand, { type: T }>['data'];

function batchApplied(
  id: string,
  work: Work,
  { counts, failures, nextSize, journalAt, ...rest }: Of<'RecordBatch'>,
): MigrationEvent {
  return {
    type: 'MigrationBatchApplied',
    data: {
      ...about(id, work),
      batch: work.batches + 1,
      ...rest,
      batchCounts: counts,
      total: add(work.total, counts),
      ...(failures === undefined ? {} : { failures: [...failures] }),
      ...(nextSize === undefined ? {} : { nextSize }),
      ...(journalAt === undefined ? {} : { journalAt }),
    },
  };
}

export const isIdle = ({ changedInSweep }: Work, left: number): boolean =>
  left > 0 && changedInSweep === 0;

export const notFinished = (left: number) => ({
  code: 'MIGRATION_NOT_FINISHED',
  message: `${left} documents are still pending after a sweep that changed nothing.`,
});

/** A sweep that changed nothing is not followed by another one. */
function sweepEnded(id: string, work: Work, left: number): Decision<MigrationEvent> {
  if (isIdle(work, left)) return [failed(id, work, notFinished(left))];
  const data = { ...about(id, work), sweep: work.sweep, left };
  return [{ type: 'MigrationSweepEnded', data }];
}

/** The end of the work, or of undoing it: a run that undoes has failed. */
function finished(id: string, work: Work, report: Report): MigrationEvent {
  const { reverting, total } = work;
  const data = about(id, work);
  if (!reverting) return { type: 'MigrationCompleted', data: { ...data, total, report } };
  const { code, message, before } = reverting;
  const { failed: left = 0 } = total;
  const but = left === 0 ? '' : `, but not ${documents(left)}`;
  const end = {
    code,
    message: `${asSentence(message)} What it had changed is undone${but}.`,
    total: before,
  };
  const found = { ...reverting.report, revert: report };
  return { type: 'MigrationFailed', data: { ...data, ...end, report: found, reverted: total } };
}

type Failure = Pick<Of<'FailRun'>, 'code' | 'message' | 'report'>;

/** What failed first is never lost, also where undoing it fails. */
function failed(id: string, work: Work, { code, message, report }: Failure): MigrationEvent {
  const data = about(id, work);
  const { reverting, total } = work;
  const found = report === undefined ? {} : { report };
  if (reverting) {
    const both = `${asSentence(reverting.message)} Undoing it failed too, after ${total.changed} documents: ${code}: ${message}`;
    const end = { code: reverting.code, message: both, total: reverting.before };
    const all = reverting.report ?? report;
    return { type: 'MigrationFailed', data: { ...data, ...end, ...(all ? { report: all } : {}) } };
  }
  return callsForUndoing(work, code)
    ? { type: 'MigrationRevertStarted', data: { ...data, code, message, ...found } }
    : { type: 'MigrationFailed', data: { ...data, code, message, total, ...found } };
}

const add = (a: MigrationCounts, b: MigrationCounts): MigrationCounts => ({
  matched: a.matched + b.matched,
  changed: a.changed + b.changed,
  skipped: a.skipped + b.skipped,
  mismatched: a.mismatched + b.mismatched,
  ...(a.failed === undefined && b.failed === undefined
    ? {}
    : { failed: (a.failed ?? 0) + (b.failed ?? 0) }),
});
