import type { MigrationFlow } from '@tidegate/contracts';
import type { Work } from '../run/run.ts';
import type { SizeBounds } from './batch-size.ts';

const TARGET_BATCH_MS = 1_000;
/** Without a lower bound of the user's: in smaller batches what a batch itself costs takes most of the time. */
const LEAST = 25;

export const boundsOf = ({
  batchSize,
  minBatchSize,
  flow,
}: Pick<Work, 'batchSize' | 'minBatchSize' | 'flow'>): SizeBounds => ({
  most: batchSize,
  least: minBatchSize ?? Math.max(1, Math.min(LEAST, batchSize)),
  targetMs: flow?.targetBatchMs ?? TARGET_BATCH_MS,
});

/** A run that failed takes back what it did at once, whatever the hour. */
export function flowFor({ flow = {}, reverting }: Pick<Work, 'flow' | 'reverting'>): MigrationFlow {
  const { window, ...always } = flow;
  return reverting || window === undefined ? always : flow;
}
