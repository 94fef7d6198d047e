import type { RunMigration } from '@tidegate/contracts';
import { boundsOf } from './limits.ts';
import { isTimeZone } from './window.ts';

type Options = Pick<RunMigration['data'], 'batchSize' | 'minBatchSize' | 'flow'>;

/** What options say that cannot be kept, as sentences. `batchSize`: with its default. */
export function flowProblems({
  minBatchSize,
  flow = {},
  batchSize,
}: Options & { readonly batchSize: number }): readonly string[] {
  const problems: string[] = [];
  const { least } = boundsOf({ batchSize, minBatchSize, flow });
  if (least > batchSize) problems.push(`minBatchSize ${least} is more than batchSize ${batchSize}`);
  const { maxLoad, criticalLoad, window } = flow;
  if (maxLoad !== undefined && criticalLoad !== undefined && criticalLoad <= maxLoad)
    problems.push(`flow.criticalLoad ${criticalLoad} must be more than flow.maxLoad ${maxLoad}`);
  if (window && !isTimeZone(window.timeZone))
    problems.push(`flow.window.timeZone ${window.timeZone} is no time zone such as Europe/Berlin`);
  if (window && window.from === window.to)
    problems.push(`flow.window from ${window.from} to ${window.to} is no time at all`);
  return problems;
}
