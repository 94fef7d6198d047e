import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '@tidegate/store';
import { Registry } from 'prom-client';
import type { Run, Work } from '../run/run.ts';
import { runMetrics } from './run-metrics.prometheus.ts';

const NOW = 1_000_000;
const work: Work = {
  migration: 'order-totals',
  action: 'execute',
  batchSize: 500,
  sampleSize: 50,
  definitionHash: 'sha256:77aa',
  startedAt: 0,
  sweep: 1,
  batches: 1,
  changedInSweep: 0,
  total: { matched: 500, changed: 490, skipped: 10, mismatched: 0 },
  expected: 1_500,
  fence: 1,
  workedMs: 2_000,
  rate: { at: NOW, documents: 500, ms: 2_000 },
  failures: [],
};
const running: Run = { status: 'running', work };
const outcomeOf = (state: Run, outcome = 'changed') =>
  ({ state, repeated: false, answer: { outcome } }) as unknown as Outcome<Run>;

function measured() {
  const registry = new Registry();
  const metrics = runMetrics(registry);
  const value = async (
    name: string,
    labels: Record<string, string>,
  ): Promise<number | undefined> => {
    const metric = await registry.getSingleMetric(name)?.get();
    return metric?.values.find((each) =>
      Object.entries(labels).every(
        ([label, wanted]) => String((each.labels as Record<string, unknown>)[label]) === wanted,
      ),
    )?.value;
  };
  return { metrics, value };
}
const of = { migration: 'order-totals', action: 'execute' };

describe('the metrics of runs', () => {
  it('count documents by what became of them, and time batches', async () => {
    const { metrics, value } = measured();
    const counts = { matched: 10, changed: 7, skipped: 1, mismatched: 1, failed: 1 };
    const data = { fence: 1, first: 1, last: 10, counts, tookMs: 40 };
    metrics.recorded({ type: 'RecordBatch', data }, outcomeOf(running));
    metrics.recorded({ type: 'RecordBatch', data }, outcomeOf(running, 'refused'));
    const documents = 'tidegate_migration_documents_total';
    const found = ['changed', 'skipped', 'mismatched', 'failed'].map((result) =>
      value(documents, { ...of, result }),
    );
    expect(await Promise.all(found)).toEqual([7, 1, 1, 1]);
    expect(await value('tidegate_migration_batch_seconds', { ...of, le: '0.05' })).toBe(1);
  });

  it('count ends, from 0, and a run that is still undoing has not ended', async () => {
    const { metrics, value } = measured();
    const failed = { action: 'execute', result: 'failed' };
    expect(await value('tidegate_migration_runs_ended_total', failed)).toBe(0);
    const data = { fence: 1, code: 'MIGRATION_FAILED', message: 'x' };
    metrics.recorded({ type: 'FailRun', data }, outcomeOf(running));
    expect(await value('tidegate_migration_runs_ended_total', failed)).toBe(0);
    const end: Run = { status: 'failed', work, endedAt: NOW, code: 'X', message: 'x' };
    metrics.recorded({ type: 'FailRun', data }, outcomeOf(end));
    expect(await value('tidegate_migration_runs_ended_total', failed)).toBe(1);
  });

  it('add up for how long runs have waited, and for what', async () => {
    const { metrics, value } = measured();
    metrics.looked('m-1', 'replication-lag', NOW);
    metrics.looked('m-1', 'replication-lag', NOW + 1_000);
    metrics.looked('m-1', 'window', NOW + 3_000);
    metrics.looked('m-1', undefined, NOW + 8_000);
    metrics.looked('m-1', undefined, NOW + 9_000);
    const seconds = 'tidegate_migration_throttled_seconds_total';
    expect(await value(seconds, { because: 'replication-lag' })).toBe(3);
    expect(await value(seconds, { because: 'window' })).toBe(5);
  });

  it('do not count the time in which somebody else worked on it, or nobody', async () => {
    const { metrics, value } = measured();
    metrics.looked('m-1', 'window', NOW);
    metrics.looked('m-1', 'window', NOW + 3_600_000);
    metrics.looked('m-2', 'window', NOW);
    metrics.underWay([{ id: 'm-1', state: running }], NOW);
    metrics.looked('m-2', 'window', NOW + 5_000);
    expect(await value('tidegate_migration_throttled_seconds_total', { because: 'window' })).toBe(
      60,
    );
  });

  it('tell what is under way: how much is left, and which waits for how long', async () => {
    const { metrics, value } = measured();
    const throttled = { because: 'server-load', message: 'x', since: NOW - 90_000 };
    const waiting: Run = { status: 'running', work: { ...work, throttled } };
    const paused: Run = { status: 'paused', work: waiting.work, by: 'alex', reason: 'x' };
    metrics.underWay(
      [
        { id: 'm-1', state: waiting },
        { id: 'm-2', state: paused },
      ],
      NOW,
    );
    const waits = 'tidegate_migration_throttled_for_seconds';
    const load = { migration: 'order-totals', because: 'server-load' };
    expect(await value(waits, load)).toBe(90);
    expect(await value('tidegate_migration_eta_seconds', of)).toBe(4);
    expect(await value('tidegate_migration_runs', { status: 'running' })).toBe(1);
    metrics.underWay([], NOW);
    expect(await value(waits, load)).toBeUndefined();
    expect(await value('tidegate_migration_runs', { status: 'running' })).toBe(0);
  });
});
