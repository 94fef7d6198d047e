import { AppError } from '@tidegate/kernel';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../command.ts';

interface WorkOptions {
  readonly batchSize?: number;
  readonly minBatchSize?: number;
  readonly sampleSize?: number;
  readonly onError?: string;
  readonly maxErrors?: number;
  readonly onFailure?: string;
  readonly withoutBeforeImages?: boolean;
  readonly acceptChange?: string;
}
export interface FlowOptions extends WorkOptions {
  readonly targetBatchMs?: number;
  readonly niceRatio?: number;
  readonly maxLagMs?: number;
  readonly maxLoad?: number;
  readonly criticalLoad?: number;
  readonly probe?: string;
  readonly window?: { readonly from: string; readonly to: string };
  readonly timeZone?: string;
  readonly days?: readonly string[];
}

export const addWorkOptions = (command: Command): Command =>
  command
    .option('--batch-size <n>', 'the most documents in a batch', wholeNumber)
    .option('--min-batch-size <n>', 'the fewest, when batches take too long', wholeNumber)
    .option('--sample-size <n>', 'documents that are looked at one by one', wholeNumber)
    .addOption(
      new Option('--on-error <policy>', 'what a document does that up fails on').choices([
        'stop',
        'skip',
        'quarantine',
      ]),
    )
    .option('--max-errors <n>', 'more than these fail the run', wholeNumber)
    .addOption(
      new Option('--on-failure <policy>', 'what a run that fails does').choices(['stop', 'revert']),
    )
    .option('--without-before-images', 'keep no copy of what is changed: only down undoes it')
    .option('--accept-change <reason>', 'why a text is right that is not what was executed before');

export const addFlowOptions = (command: Command): Command =>
  command
    .option('--target-batch-ms <ms>', 'the time that a batch should take', wholeNumber)
    .option('--nice-ratio <ratio>', 'rest after a batch; 1 = as long as it took', amount)
    .option('--max-lag-ms <ms>', 'wait while replication is behind by more', wholeNumber)
    .option('--max-load <n>', 'wait while the server has more to do', amount)
    .option('--critical-load <n>', 'fail when the server has more to do', amount)
    .option('--probe <url>', 'asked before batches: anything but 2xx waits')
    .option('--window <from-to>', 'only within these hours, as 22:00-06:00', hours)
    .option('--time-zone <zone>', 'of the window, as Europe/Berlin; without it UTC')
    .option('--days <days>', 'of the window, as mon,tue', (text) => text.split(','));

/** The options of a run's request; what was not given is not in it. Thrown CLI_USAGE. */
export function optionsOf(options: FlowOptions) {
  const flow = given(flowOf(options));
  return given({
    batchSize: options.batchSize,
    minBatchSize: options.minBatchSize,
    sampleSize: options.sampleSize,
    onError: options.onError,
    maxErrors: options.maxErrors,
    onFailure: options.onFailure,
    acceptChange: options.acceptChange,
    backup: options.withoutBeforeImages === true ? 'none' : undefined,
    flow: Object.keys(flow).length === 0 ? undefined : flow,
  });
}

function flowOf(options: FlowOptions) {
  const { timeZone, days } = options;
  if (options.window === undefined && (timeZone !== undefined || days !== undefined))
    throw new AppError('CLI_USAGE', '--time-zone and --days are of a window: give --window, too.');
  const window = given({ ...options.window, timeZone, days });
  return {
    targetBatchMs: options.targetBatchMs,
    niceRatio: options.niceRatio,
    maxLagMs: options.maxLagMs,
    maxLoad: options.maxLoad,
    criticalLoad: options.criticalLoad,
    probe: options.probe,
    window: Object.keys(window).length > 0 ? window : undefined,
  };
}

const given = <T extends object>(options: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<T>;

function amount(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number >= 0) return number;
  throw new InvalidArgumentError('Expected a number, 0 or more.');
}

function hours(text: string): { from: string; to: string } {
  const [, from = '', to = ''] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? [];
  if (from !== '') return { from, to };
  throw new InvalidArgumentError('Expected hours as 22:00-06:00.');
}
