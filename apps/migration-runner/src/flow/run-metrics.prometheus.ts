import { migrationActions } from '@tidegate/contracts';
import type { Document, Outcome } from '@tidegate/store';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Run } from '../run/run.ts';
import type { RunnerCommand } from '../run/runner-command.ts';
import { progressOf } from './progress.ts';

export interface RunMetrics {
  /** One of the runner's own commands was carried out. */
  recorded(command: Pick<RunnerCommand, 'type' | 'data'>, outcome: Outcome<Run>): void;
  /** A run waits for this, or for nothing, as was seen when it wanted to begin a batch. */
  looked(run: string, because: string | undefined, at: number): void;
  /** All runs that are running or paused, wherever they are worked on. */
  underWay(runs: readonly Pick<Document<Run>, 'id' | 'state'>[], at: number): void;
}

type Batch = Extract<RunnerCommand, { type: 'RecordBatch' }>['data'];
type Command = Pick<RunnerCommand, 'type' | 'data'>;
/** Between two looks at a run that waits here no more time passes; in more than that somebody else has worked on it. */
const BETWEEN_LOOKS_MS = 60_000;
const ENDS = ['completed', 'failed'] as const;

/** Labels come from closed lists: migrations that are loaded, actions, and the named reasons to wait. */
export function runMetrics(registry: Registry): RunMetrics {
  const batches = batchMetrics(registry);
  const gauges = runGauges(registry);
  const ended = endCounter(registry);
  const waits = waitCounter(registry);
  return {
    recorded(command, { answer, repeated, state }) {
      if (repeated || answer.outcome !== 'changed' || state.status === 'absent') return;
      const { action, migration } = state.work;
      if (isBatch(command)) batches(command.data, { action, migration });
      if (state.status === 'completed' || state.status === 'failed')
        ended.inc({ action, result: state.status });
    },
    looked: waits.looked,
    underWay(all, at) {
      waits.keepOnly(new Set(all.map(({ id }) => id)));
      gauges(
        all.map(({ state }) => state),
        at,
      );
    },
  };
}

const isBatch = (command: Command): command is Extract<RunnerCommand, { type: 'RecordBatch' }> =>
  command.type === 'RecordBatch';

function batchMetrics(registry: Registry) {
  const registers = [registry];
  const documents = new Counter({
    name: 'tidegate_migration_documents_total',
    help: 'Documents that batches have dealt with, by what became of them.',
    labelNames: ['migration', 'action', 'result'],
    registers,
  });
  const seconds = new Histogram({
    name: 'tidegate_migration_batch_seconds',
    help: 'How long a batch took, from being begun to being written.',
    labelNames: ['migration', 'action'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  return ({ counts, tookMs }: Batch, labels: { action: string; migration: string }): void => {
    const { changed, skipped, mismatched, failed = 0 } = counts;
    for (const [result, count] of Object.entries({ changed, skipped, mismatched, failed }))
      documents.inc({ ...labels, result }, count);
    seconds.observe(labels, tookMs / 1_000);
  };
}

/** From 0, so that the first end counts as an increase. */
function endCounter(registry: Registry): Counter<'action' | 'result'> {
  const ended = new Counter({
    name: 'tidegate_migration_runs_ended_total',
    help: 'Runs that ended by themselves, by action and result.',
    labelNames: ['action', 'result'],
    registers: [registry],
  });
  for (const action of migrationActions)
    for (const result of ENDS) ended.inc({ action, result }, 0);
  return ended;
}

function waitCounter(registry: Registry) {
  const waited = new Counter({
    name: 'tidegate_migration_throttled_seconds_total',
    help: 'How long runs that were worked on here have waited, by reason.',
    labelNames: ['because'],
    registers: [registry],
  });
  const waiting = new Map<string, { readonly because: string; readonly at: number }>();
  return {
    looked(run: string, because: string | undefined, at: number): void {
      const last = waiting.get(run);
      const ms = last ? Math.min(BETWEEN_LOOKS_MS, Math.max(0, at - last.at)) : 0;
      if (last) waited.inc({ because: last.because }, ms / 1_000);
      if (because === undefined) waiting.delete(run);
      else waiting.set(run, { because, at });
    },
    keepOnly(runs: ReadonlySet<string>): void {
      for (const run of waiting.keys()) if (!runs.has(run)) waiting.delete(run);
    },
  };
}

function runGauges(registry: Registry) {
  const registers = [registry];
  const runs = new Gauge({
    name: 'tidegate_migration_runs',
    help: 'Runs that have not ended, as the store has them.',
    labelNames: ['status'],
    registers,
  });
  const throttled = new Gauge({
    name: 'tidegate_migration_throttled_for_seconds',
    help: 'For how long the run of a migration has waited without a batch, by reason.',
    labelNames: ['migration', 'because'],
    registers,
  });
  const left = new Gauge({
    name: 'tidegate_migration_eta_seconds',
    help: 'How long the run of a migration will take at its present rate.',
    labelNames: ['migration', 'action'],
    registers,
  });
  return (all: readonly Run[], at: number): void => {
    for (const gauge of [throttled, left]) gauge.reset();
    const count = { running: 0, paused: 0 };
    for (const run of all) {
      if (run.status !== 'running' && run.status !== 'paused') continue;
      count[run.status] += 1;
      const { migration, action, throttled: wait } = run.work;
      const leftMs = progressOf(run.work)?.leftMs;
      if (leftMs !== undefined) left.set({ migration, action }, leftMs / 1_000);
      if (wait && run.status === 'running')
        throttled.set({ migration, because: wait.because }, (at - wait.since) / 1_000);
    }
    for (const [status, number] of Object.entries(count)) runs.set({ status }, number);
  };
}
