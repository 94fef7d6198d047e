import type { MigrationAction } from './migration-options.ts';
import { asFields, type Fields, type PlanIssue } from './plan-values.ts';

const DEFAULT_BATCH_SIZE = 500;
/** Options that mean something to some actions alone; a dry run tells what the run with these options would do. */
const ONLY_FOR: Readonly<Record<string, readonly MigrationAction[]>> = {
  onError: ['plan', 'execute', 'backup'],
  maxErrors: ['plan', 'execute', 'backup'],
  backup: ['plan', 'execute'],
  onFailure: ['execute', 'verify', 'cutover'],
};

/**
 * What in the options of a run contradicts itself or its action, although each alone is well formed; empty if nothing
 * does. Reads any value, also one that is malformed elsewhere.
 */
export function runOptionProblems(value: unknown): PlanIssue[] {
  const options = asFields(value);
  const flow = asFields(options['flow']);
  return [
    ...misplaced(options),
    ...sizes(options),
    ...errors(options),
    ...loads(flow),
    ...hours(flow),
  ];
}

const misplaced = (options: Fields): PlanIssue[] =>
  Object.entries(ONLY_FOR).flatMap(([option, actions]) =>
    options[option] === undefined || actions.some((action) => action === options['action'])
      ? []
      : [{ path: [option], message: `means something only to ${inWords(actions)}` }],
  );

/** `plan, execute and backup`. */
const inWords = (names: readonly string[]): string =>
  names.join(', ').replace(/, (?=[^,]*$)/, ' and ');

function sizes({ batchSize = DEFAULT_BATCH_SIZE, minBatchSize }: Fields): PlanIssue[] {
  if (!(Number(minBatchSize) > Number(batchSize))) return [];
  const message = `is more than batchSize, which is ${Number(batchSize)}`;
  return [{ path: ['minBatchSize'], message }];
}

function errors({ onError, maxErrors }: Fields): PlanIssue[] {
  if (maxErrors === undefined || (onError !== undefined && onError !== 'stop')) return [];
  return [{ path: ['maxErrors'], message: 'needs onError: skip or quarantine' }];
}

function loads({ maxLoad, criticalLoad }: Fields): PlanIssue[] {
  if (!(Number(criticalLoad) <= Number(maxLoad))) return [];
  const message = `is not above maxLoad, which is ${Number(maxLoad)}`;
  return [{ path: ['flow', 'criticalLoad'], message }];
}

function hours({ window }: Fields): PlanIssue[] {
  const { from, to, timeZone } = asFields(window);
  const path = ['flow', 'window'];
  return [
    ...(typeof from === 'string' && from === to
      ? [{ path: [...path, 'to'], message: `is ${from} as from is: no time at all` }]
      : []),
    ...(typeof timeZone === 'string' && !isTimeZone(timeZone)
      ? [{ path: [...path, 'timeZone'], message: 'is no time zone such as Europe/Berlin' }]
      : []),
  ];
}

function isTimeZone(timeZone: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone }) !== undefined;
  } catch {
    return false;
  }
}
