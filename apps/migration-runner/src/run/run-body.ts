import { migrationActions, name, reason } from '@tidegate/contracts';
import type { Document } from '@tidegate/store';
import { z } from 'zod';
import type { Wait } from './advance.handler.ts';
import type { Run } from './run.ts';

export const newRun = z.strictObject({
  migration: name,
  action: z.enum(migrationActions),
  batchSize: z.int().min(1).max(100_000).optional(),
  sampleSize: z.int().min(1).max(100_000).optional(),
});
export const because = z.strictObject({ reason });
export const runQuery = z.object({
  status: z.enum(['running', 'paused', 'completed', 'failed', 'cancelled']).optional(),
});

/**
 * A run as people and pipelines read it.
 * @param wait why nobody works on it although it is running
 */
export function runBody({ id, state }: Pick<Document<Run>, 'id' | 'state'>, wait?: Wait) {
  if (state.status === 'absent') return undefined;
  const { work, ...rest } = state;
  const { checkpoint, total, ...of } = work;
  return {
    run: id,
    ...of,
    ...rest,
    counts: total,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(wait === undefined || state.status !== 'running' ? {} : { waitsFor: wait }),
  };
}

/** What an ended run found and did; undefined while it is under way. */
export function reportBody({ id, state }: Pick<Document<Run>, 'id' | 'state'>) {
  if (state.status === 'absent' || state.status === 'running' || state.status === 'paused')
    return undefined;
  const { status, work } = state;
  const { action, migration, total, startedAt } = work;
  return {
    run: id,
    migration,
    action,
    status,
    startedAt,
    endedAt: state.endedAt,
    ...(action === 'execute' ? { counts: total } : {}),
    ...(status === 'completed' ? state.report : {}),
    ...(status === 'failed' ? { code: state.code, message: state.message } : {}),
  };
}
