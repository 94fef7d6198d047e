import type {
  DraftOf,
  FailedDocument,
  MigrationAction,
  MigrationBatchApplied,
  MigrationCommand,
  MigrationCompleted,
  MigrationCounts,
  MigrationEvent,
  MigrationFlow,
  MigrationStarted,
  MigrationSweepEnded,
  RolloutRef,
  RunMigration,
} from '@tidegate/contracts';
import { type Decision, type Fact, reject, type Rejection } from '@tidegate/kernel';
import { type StoreRestored, whyRestored } from './restored.ts';
import type { RunnerCommand } from './runner-command.ts';

export type AnyRunCommand = MigrationCommand | RunnerCommand | StoreRestored;

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
  readonly definitionHash: string;
  readonly rollout?: RolloutRef | undefined;
  readonly startedAt: number;
  readonly sweep: number;
  readonly batches: number;
  readonly checkpoint?: Key | undefined;
  /** Changed in the present sweep: a sweep that changes nothing cannot be followed by another. */
  readonly changedInSweep: number;
  readonly total: MigrationCounts;
  /** The greatest lease token that has written. */
  readonly fence: number;
  /** How large the next batch is to be; undefined: batchSize. */
  readonly nextSize?: number | undefined;
  /** How much there was to do when the work began; undefined until it was counted. */
  readonly expected?: number | undefined;
  /** Summed time of batches, for the rate. */
  readonly workedMs: number;
  /** Left as they were, as `onError` says; at most `maxErrors`. */
  readonly failures: readonly FailedDocument[];
  /** Why no batch is begun for now. */
  readonly throttled?:
    { readonly because: string; readonly message: string; readonly since: number } | undefined;
  /** Of a revert: the place in the journal down to which it has undone. */
  readonly journalAt?: number | undefined;
  /** What failed, while that is being undone; `total` counts what is undone from then on, `before` what was done. */
  readonly reverting?:
    | { readonly code: string; readonly message: string; readonly before: MigrationCounts }
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

/** Definition hashes by migration id: what the runner has loaded. */
export type Known = ReadonlyMap<string, string>;

const NOTHING: MigrationCounts = { matched: 0, changed: 0, skipped: 0, mismatched: 0 };

export const initialRun: Run = { status: 'absent' };

/** What a run is about, in each of its events. */
const about = (id: string, work: Pick<Work, 'migration' | 'action' | 'rollout'>) => ({
  run: id,
  migration: work.migration,
  action: work.action,
  ...(work.rollout ? { rollout: work.rollout } : {}),
});

export const decideRun =
  (known: Known, id: string) =>
  (command: AnyRunCommand, run: Run): Decision<MigrationEvent> => {
    switch (command.type) {
      case 'RunMigration':
        return start(known, id, command, run);
      case 'PauseMigration':
        return whileActive(run, (work) =>
          run.status === 'paused'
            ? []
            : [{ type: 'MigrationPaused', data: { ...about(id, work), ...byWhom(command) } }],
        );
      case 'ResumeMigration':
        return whileActive(run, (work) => resume(known, id, command, run, work));
      case 'CancelMigration':
        return whileActive(run, (work) => [
          {
            type: 'MigrationCancelled',
            data: { ...about(id, work), ...byWhom(command), total: work.total },
          },
        ]);
      case 'StoreRestored':
        return run.status === 'running'
          ? [{ type: 'MigrationPaused', data: { ...about(id, run.work), ...whyRestored(command) } }]
          : [];
      default:
        return record(id, command, run);
    }
  };

const byWhom = ({ data, metadata }: MigrationCommand) => ({
  by: metadata.actor,
  reason: 'reason' in data ? data.reason : '',
});

function start(
  known: Known,
  id: string,
  { data }: RunMigration,
  run: Run,
): Decision<MigrationEvent> {
  if (run.status !== 'absent')
    return run.work.migration === data.migration && run.work.action === data.action
      ? []
      : reject(
          'RUN_EXISTS',
          `${id} is already a run of ${run.work.migration} (${run.work.action}).`,
        );
  const definitionHash = known.get(data.migration);
  if (definitionHash === undefined)
    return reject(
      'MIGRATION_UNKNOWN',
      `There is no migration ${data.migration}; the runner knows ${[...known.keys()].join(', ') || 'none'}.`,
    );
  return [
    {
      type: 'MigrationStarted',
      data: {
        ...about(id, data),
        definitionHash,
        batchSize: data.batchSize ?? 500,
        sampleSize: data.sampleSize ?? 50,
      },
    },
  ];
}

function resume(
  known: Known,
  id: string,
  command: MigrationCommand,
  run: Run,
  work: Work,
): Decision<MigrationEvent> {
  if (run.status === 'running') return [];
  if (known.get(work.migration) !== work.definitionHash)
    return reject(
      'MIGRATION_CHANGED',
      `The text of ${work.migration} is not what ${id} began with; start a new run.`,
    );
  return [{ type: 'MigrationResumed', data: { ...about(id, work), ...byWhom(command) } }];
}

function whileActive(
  run: Run,
  decide: (work: Work) => Decision<MigrationEvent>,
): Decision<MigrationEvent> {
  if (run.status === 'absent') return reject('RUN_UNKNOWN', 'There is no such run.');
  if (run.status === 'running' || run.status === 'paused') return decide(run.work);
  return reject('RUN_ENDED', `The run is ${run.status}.`);
}

/** A batch that was under way when the run was paused or cancelled is still recorded: it is written. */
function record(id: string, command: RunnerCommand, run: Run): Decision<MigrationEvent> {
  const active = activeFor(command, run);
  if ('rejected' in active) return active;
  const data = about(id, active);
  switch (command.type) {
    case 'MeasureRun':
      return [{ type: 'MigrationMeasured', data: { ...data, expected: command.data.expected } }];
    case 'ThrottleRun': {
      const { throttle } = command.data;
      if (throttle?.because === active.throttled?.because) return [];
      return throttle
        ? [{ type: 'MigrationThrottled', data: { ...data, ...throttle } }]
        : [{ type: 'MigrationUnthrottled', data }];
    }
    case 'RecordBatch': {
      const { fence, first, last, counts, tookMs, failures, nextSize, journalAt } = command.data;
      const total = add(active.total, counts);
      const batch = active.batches + 1;
      return [
        {
          type: 'MigrationBatchApplied',
          data: {
            ...data,
            batch,
            fence,
            first,
            last,
            batchCounts: counts,
            total,
            tookMs,
            ...(failures === undefined ? {} : { failures: [...failures] }),
            ...(nextSize === undefined ? {} : { nextSize }),
            ...(journalAt === undefined ? {} : { journalAt }),
          },
        },
      ];
    }
    case 'EndSweep': {
      const { left } = command.data;
      if (left > 0 && active.changedInSweep === 0)
        return [
          {
            type: 'MigrationFailed',
            data: {
              ...data,
              code: 'MIGRATION_NOT_FINISHED',
              message: `${left} documents are still pending after a sweep that changed nothing.`,
              total: active.total,
            },
          },
        ];
      return [{ type: 'MigrationSweepEnded', data: { ...data, sweep: active.sweep, left } }];
    }
    case 'FinishRun':
      return [
        {
          type: 'MigrationCompleted',
          data: { ...data, total: active.total, report: command.data.report },
        },
      ];
    case 'FailRun': {
      const { code, message, report } = command.data;
      const end = { code, message, total: active.total, ...(report ? { report } : {}) };
      return [{ type: 'MigrationFailed', data: { ...data, ...end } }];
    }
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

const add = (a: MigrationCounts, b: MigrationCounts): MigrationCounts => ({
  matched: a.matched + b.matched,
  changed: a.changed + b.changed,
  skipped: a.skipped + b.skipped,
  mismatched: a.mismatched + b.mismatched,
  ...(a.failed === undefined && b.failed === undefined
    ? {}
    : { failed: (a.failed ?? 0) + (b.failed ?? 0) }),
});

export function evolveRun(run: Run, { type, data, metadata }: Fact<MigrationEvent>): Run {
  if (type === 'MigrationStarted') return { status: 'running', work: begun(data, metadata.at) };
  if (run.status === 'absent') return run;
  const { work } = run;
  const endedAt = metadata.at;
  switch (type) {
    case 'MigrationBatchApplied':
    case 'MigrationSweepEnded':
      return { ...run, work: counted(work, { type, data } as Counted) };
    case 'MigrationMeasured':
      return { ...run, work: { ...work, expected: data.expected } };
    case 'MigrationThrottled': {
      const { because, message } = data;
      return { ...run, work: { ...work, throttled: { because, message, since: endedAt } } };
    }
    case 'MigrationUnthrottled':
      return { ...run, work: { ...work, throttled: undefined } };
    case 'MigrationRevertStarted':
      return run;
    case 'MigrationPaused':
      return { status: 'paused', work, by: data.by, reason: data.reason };
    case 'MigrationResumed':
      return { status: 'running', work };
    case 'MigrationCompleted':
      return { status: 'completed', work, endedAt, report: data.report };
    case 'MigrationFailed':
      return {
        status: 'failed',
        work,
        endedAt,
        code: data.code,
        message: data.message,
        report: data.report,
        reverted: data.reverted,
      };
    case 'MigrationCancelled':
      return { status: 'cancelled', work, endedAt, by: data.by };
  }
}

const begun = (
  { migration, action, definitionHash, batchSize, sampleSize, rollout }: Started,
  startedAt: number,
): Work => ({
  ...(rollout ? { rollout } : {}),
  migration,
  action,
  definitionHash,
  batchSize,
  sampleSize,
  startedAt,
  sweep: 1,
  batches: 0,
  changedInSweep: 0,
  total: NOTHING,
  fence: 0,
  workedMs: 0,
  failures: [],
});

type Started = DraftOf<typeof MigrationStarted>['data'];
type Counted = DraftOf<typeof MigrationBatchApplied> | DraftOf<typeof MigrationSweepEnded>;

const counted = (work: Work, { type, data }: Counted): Work =>
  type === 'MigrationSweepEnded'
    ? { ...work, sweep: data.sweep + 1, changedInSweep: 0, checkpoint: undefined }
    : {
        ...work,
        batches: data.batch,
        checkpoint: data.last,
        total: data.total,
        changedInSweep: work.changedInSweep + data.batchCounts.changed,
        fence: data.fence,
        workedMs: work.workedMs + data.tookMs,
        failures: [...work.failures, ...(data.failures ?? [])],
        nextSize: data.nextSize ?? work.nextSize,
        journalAt: data.journalAt ?? work.journalAt,
      };
