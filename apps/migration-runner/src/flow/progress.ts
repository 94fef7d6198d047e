import type { Work } from '../run/run.ts';

/** How far a run is; what is not known yet is left out. */
export interface Progress {
  readonly done: number;
  /** How much there was to do when the work began; more may have come since. */
  readonly expected?: number;
  /** 0 … 1, and 1 only when all that was expected is done. */
  readonly share?: number;
  /** Documents a second of work. */
  readonly perSecond?: number;
  /** Of work with its rests, once it goes on; a throttle or a pause comes on top. */
  readonly leftMs?: number;
}

type Worked = Pick<Work, 'total' | 'expected' | 'workedMs' | 'flow' | 'reverting'>;

/** Undefined where nothing is counted batch by batch. */
export function progressOf(work: Worked & Pick<Work, 'action'>): Progress | undefined {
  if (!COUNTED.has(work.action) && !work.reverting) return undefined;
  const { total, workedMs, flow, reverting } = work;
  const done = total.matched;
  const expected = reverting ? reverting.before.changed : work.expected;
  const perSecond = done > 0 && workedMs > 0 ? (done * 1_000) / workedMs : undefined;
  const left = expected === undefined ? undefined : Math.max(0, expected - done);
  return {
    done,
    ...(expected === undefined ? {} : { expected, share: shareOf(done, expected) }),
    ...(perSecond === undefined ? {} : { perSecond }),
    ...(left === undefined || perSecond === undefined
      ? {}
      : { leftMs: Math.round((left / perSecond) * 1_000 * (1 + (flow?.niceRatio ?? 0))) }),
  };
}

const COUNTED: ReadonlySet<string> = new Set(['execute', 'backup', 'revert', 'cleanup']);

const shareOf = (done: number, expected: number): number =>
  expected === 0 ? 1 : Math.min(1, done / expected);
