import { migrationActions, name, reason } from '@tidegate/contracts';
import type { Document } from '@tidegate/store';
import { z } from 'zod';
import type { Run } from './run.ts';

export const newRun = z.object({
  migration: name,
  action: z.enum(migrationActions),
  batchSize: z.int().min(1).max(100_000).optional(),
  sampleSize: z.int().min(1).max(100_000).optional(),
});
export const because = z.object({ reason });
export const runQuery = z.object({
  status: z.enum(['running', 'paused', 'completed', 'failed', 'cancelled']).optional(),
});

/** A run as people and pipelines read it. */
export function runBody({ id, state }: Pick<Document<Run>, 'id' | 'state'>) {
  if (state.status === 'absent') return undefined;
  const { work, ...rest } = state;
  const { checkpoint, total, ...of } = work;
  return {
    run: id,
    ...of,
    ...rest,
    counts: total,
    ...(checkpoint === undefined ? {} : { checkpoint }),
  };
}
