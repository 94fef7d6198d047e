import type { Seeded } from './random.ts';

/** How much goes wrong in one rollout: probabilities, each of one call or one step. */
export interface Profile {
  /** A process ends at a point between two steps. */
  readonly crash: number;
  /** A task waits at such a point until others have gone on. */
  readonly park: number;
  /** It waits there for a time, up to `longestMs`. */
  readonly delay: number;
  readonly longestMs: number;
  readonly readFails: number;
  readonly saveFails: number;
  /** A write is done, and its caller is told that it failed. */
  readonly saveAckLost: number;
  /** Nothing or a part is published. */
  readonly publishFails: number;
  readonly publishAckLost: number;
  /** Handled records are delivered once more. */
  readonly redeliver: number;
  /** The position is not committed after a record. */
  readonly lateCommit: number;
  /** A partition goes to another member although a record is in handling. */
  readonly rebalance: number;
  /** Time passes although somebody could go on. */
  readonly rush: number;
}

/** Nothing goes wrong, but who goes first is still open. */
export const calm: Profile = {
  crash: 0,
  park: 0.05,
  delay: 0,
  longestMs: 1,
  readFails: 0,
  saveFails: 0,
  saveAckLost: 0,
  publishFails: 0,
  publishAckLost: 0,
  redeliver: 0,
  lateCommit: 0,
  rebalance: 0,
  rush: 0.01,
};

/** Some faults often and others not at all: what hides behind the one that is always first is found as well. */
export function drawProfile(random: Seeded): Profile {
  if (random.chance(0.08)) return calm;
  const some = (most: number, probability = 0.6) =>
    random.chance(probability) ? most * random.next() : 0;
  return {
    crash: some(random.pick([0.004, 0.02])),
    park: random.pick([0.05, 0.2, 0.5]),
    delay: some(0.05),
    longestMs: random.pick([20, 500, 6_000]),
    readFails: some(0.04, 0.4),
    saveFails: some(0.08, 0.4),
    saveAckLost: some(0.08, 0.4),
    publishFails: some(0.15, 0.4),
    publishAckLost: some(0.15, 0.4),
    redeliver: some(0.1, 0.4),
    lateCommit: some(0.5, 0.4),
    rebalance: some(0.03, 0.4),
    rush: random.pick([0, 0.01, 0.05]),
  };
}
