import { expect, it } from '@jest/globals';
import type { MigrationEvent } from '@tidegate/contracts';
import { evolveRun } from './evolve-run.ts';
import { initialRun, type Run } from './run.ts';

const about = { run: 'm-7', migration: 'order-totals', action: 'execute' as const };
const by = { by: 'alex', reason: 'x' };
const total = { matched: 0, changed: 0, skipped: 0, mismatched: 0 };
const started: MigrationEvent = {
  type: 'MigrationStarted',
  data: { ...about, definitionHash: 'sha256:1', batchSize: 200, sampleSize: 50 },
};
const throttled: MigrationEvent = {
  type: 'MigrationThrottled',
  data: { ...about, because: 'probe', message: 'The probe answered 503.' },
};
/** Each a second after the one before. */
const after = (events: readonly MigrationEvent[]): Run =>
  events.reduce<Run>(
    (run, event, index) =>
      evolveRun(run, {
        ...event,
        metadata: { id: `${index}`, at: index * 1_000 },
      }),
    initialRun,
  );
const waits = (run: Run) => (run.status === 'absent' ? undefined : run.work.throttled);

it('a throttled run says why and since when, until it is not any more', () => {
  expect(waits(after([started, throttled]))).toEqual({
    because: 'probe',
    message: 'The probe answered 503.',
    since: 1_000,
  });
  const free: MigrationEvent = { type: 'MigrationUnthrottled', data: about };
  expect(waits(after([started, throttled, free]))).toBeUndefined();
});

it('a pause is no wait: what it waits for begins anew when it is resumed', () => {
  const events: readonly MigrationEvent[] = [
    started,
    throttled,
    { type: 'MigrationPaused', data: { ...about, ...by } },
    { type: 'MigrationResumed', data: { ...about, ...by } },
  ];
  expect(waits(after(events))?.since).toBe(3_000);
});

it.each<MigrationEvent>([
  { type: 'MigrationCancelled', data: { ...about, ...by, total } },
  { type: 'MigrationFailed', data: { ...about, code: 'X', message: 'x', total } },
  { type: 'MigrationCompleted', data: { ...about, total, report: {} } },
])('a run that has ended waits for nothing: $type', (end) => {
  expect(waits(after([started, throttled, end]))).toBeUndefined();
});
