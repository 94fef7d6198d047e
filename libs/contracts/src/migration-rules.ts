import type { MigrationAction } from './migration.ts';
import { asFields, type PlanIssue } from './plan-values.ts';

const DEFAULT_BATCH_SIZE = 500;
/** Options that mean something to some actions alone. */
const ONLY_FOR: Readonly<Record<string, readonly MigrationAction[]>> = {
  onError: ['execute', 'backup'],
  maxErrors: ['execute', 'backup'],
  backup: ['execute'],
  onFailure: ['execute', 'verify'],
};

/**
 * What in the options of a run contradicts itself or its action, although each alone is well formed; empty if nothing
 * does. Reads any value, also one that is malformed elsewhere.
 */
export function runOptionProblems(value: unknown): PlanIssue[] {
  const options = asFields(value);
  return [...misplaced(options), ...sizes(options), ...errors(options), ...loads(options)];
}

const misplaced = (options: Options): PlanIssue[] =>
  Object.entries(ONLY_FOR).flatMap(([option, actions]) =>
    options[option] === undefined || actions.some((action) => action === options['action'])
      ? []
      : [{ path: [option], message: `means something only to ${actions.join(' and ')}` }],
  );

function sizes({ batchSize = DEFAULT_BATCH_SIZE, minBatchSize }: Options): PlanIssue[] {
  if (!(Number(minBatchSize) > Number(batchSize))) return [];
  const message = `is more than the most, which is ${String(batchSize)}`;
  return [{ path: ['minBatchSize'], message }];
}

function errors({ onError, maxErrors }: Options): PlanIssue[] {
  if (maxErrors === undefined || (onError !== undefined && onError !== 'stop')) return [];
  return [{ path: ['maxErrors'], message: 'needs onError: skip or quarantine' }];
}

function loads({ flow }: Options): PlanIssue[] {
  const { maxLoad, criticalLoad } = asFields(flow);
  if (!(Number(criticalLoad) <= Number(maxLoad))) return [];
  const message = `is not above maxLoad, which is ${String(maxLoad)}`;
  return [{ path: ['flow', 'criticalLoad'], message }];
}

type Options = Readonly<Record<string, unknown>>;
