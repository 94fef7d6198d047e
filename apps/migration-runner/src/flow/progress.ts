import type { Work } from '../run/run.ts';
import { perSecond } from './rate.ts';

/** How far a run is; what is not known yet is left out. */
export interface Progress {
  readonly done: number;
  /** How much there was to do when the work began; more may have come since. */
  readonly expected?: number;
  /** 0 … 1, and 1 only when all that was expected is done. */
  readonly share?: number;
  /** Documents a second, with all that lies between batches. */
  readonly perSecond?: number;
  /** Once it goes on: a throttle or a pause comes on top. */
  readonly leftMs?: number;
}

type Worked = Pick<Work, 'action' | 'total' | 'expected' | 'rate' | 'reverting'>;

/** Undefined where nothing is counted batch by batch. */
export function progressOf(work: Worked): Progress | undefined {
  if (!COUNTED.has(work.action) && !work.reverting) return undefined;
  const { total, rate, reverting } = work;
  const done = total.matched;
  const expected = reverting ? reverting.before.changed : work.expected;
  const documents = rate && perSecond(rate);
  const left = expected === undefined ? undefined : Math.max(0, expected - done);
  return {
    done,
    ...(expected === undefined ? {} : { expected, share: shareOf(done, expected) }),
    ...(documents === undefined ? {} : { perSecond: documents }),
    ...(left === undefined || documents === undefined
      ? {}
      : { leftMs: Math.round((left / documents) * 1_000) }),
  };
}

const COUNTED: ReadonlySet<string> = new Set(['execute', 'backup', 'revert', 'cleanup']);

const shareOf = (done: number, expected: number): number =>
  expected === 0 ? 1 : Math.min(1, done / expected);
