import { migrationActions, name, reason, runOptionProblems, runOptions } from '@tidegate/contracts';
import type { Document } from '@tidegate/store';
import { z } from 'zod';
import { progressOf } from '../flow/progress.ts';
import type { Wait } from './advance.handler.ts';
import type { Run } from './run.ts';

export const newRun = z
  .strictObject({
    migration: name,
    action: z.enum(migrationActions),
    ...runOptions,
    reason: reason.optional(),
  })
  .superRefine((body, context) => {
    for (const { path, message } of runOptionProblems(body))
      context.addIssue({ code: 'custom', path: [...path], message });
  });
const { batchSize, minBatchSize, flow, acceptChange } = runOptions;
export const newRevert = z.strictObject({ reason, batchSize, minBatchSize, flow, acceptChange });
export const because = z.strictObject({ reason });
export const runQuery = z.object({
  status: z.enum(['running', 'paused', 'completed', 'failed', 'cancelled']).optional(),
  migration: name.optional(),
});
export const reportQuery = z.object({ format: z.enum(['json', 'markdown']).optional() });

/**
 * A run as people and pipelines read it.
 * @param wait why nobody works on it although it is running
 */
export function runBody({ id, state }: Pick<Document<Run>, 'id' | 'state'>, wait?: Wait) {
  if (state.status === 'absent') return undefined;
  const { work, ...rest } = state;
  const { checkpoint, total, rate: _rate, lines: _lines, ...of } = work;
  const progress = progressOf(work);
  return {
    run: id,
    ...of,
    ...rest,
    counts: total,
    ...(progress === undefined ? {} : { progress }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(wait === undefined || state.status !== 'running' ? {} : { waitsFor: wait }),
  };
}

/** What an ended run found and did; undefined while it is under way. */
export function reportBody({ id, state }: Pick<Document<Run>, 'id' | 'state'>) {
  if (state.status === 'absent' || state.status === 'running' || state.status === 'paused')
    return undefined;
  const { status, work } = state;
  const { action, migration, startedAt, failures, definitionHash, by } = work;
  return {
    run: id,
    migration,
    action,
    status,
    startedAt,
    endedAt: state.endedAt,
    definitionHash,
    ...(by === undefined ? {} : { by }),
    counts: work.reverting?.before ?? work.total,
    ...(failures.length === 0 ? {} : { failures }),
    ...(status === 'cancelled' ? { cancelledBy: state.by } : { ...state.report }),
    ...(status === 'failed' ? failureOf(state) : {}),
  };
}

const failureOf = ({ code, message, reverted }: Extract<Run, { status: 'failed' }>) => ({
  code,
  message,
  ...(reverted ? { reverted } : {}),
});
