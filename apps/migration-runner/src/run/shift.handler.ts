import type { Clock } from '@tidegate/kernel';
import type { Leases } from '@tidegate/store';

/** What is written after `goOn` must fit into this with room to spare: a taken-over run waits this long. */
export const LEASE_MS = 60_000;
/** The longest that transforming keeps the rest of the process waiting. */
const TURN_MS = 5;
const LOOK_MS = 1_000;

/** The time in which one runner has a migration to itself. */
export interface Shift {
  readonly fence: number;
  /**
   * Asked before each document. Gives the rest of the process its turn, keeps the lease, and is false when the run
   * is to be left as it is: it was paused or ended, another runner has it, or this process stops.
   */
  goOn(): Promise<boolean>;
  /** Asked before each batch: likewise, but always gives way and renews the lease, so that the batch has all of it. */
  goOnToBatch(): Promise<boolean>;
}

export interface ShiftDeps {
  readonly leases: Leases;
  readonly clock: Clock;
  /** Left out: this process never stops. */
  readonly stopping?: AbortSignal;
  /** Lets the rest of the process have its turn. */
  readonly yieldTurn: () => Promise<void>;
}

export interface LeaseWanted {
  readonly name: string;
  readonly holder: string;
  /** False when the work is no longer to be done. */
  isWanted(): Promise<boolean>;
}

/** Works under the lease and gives it back, whatever happens. False: somebody else has it, nothing was done. */
export async function underLease(
  { leases, clock, stopping, yieldTurn }: ShiftDeps,
  { name, holder, isWanted }: LeaseWanted,
  work: (shift: Shift) => Promise<void>,
): Promise<boolean> {
  const fence = await leases.claim(name, holder, LEASE_MS);
  if (fence === undefined) return false;
  let turnAt = clock.now();
  let lookedAt = turnAt;
  // A clock that was set back counts as time that has passed.
  const isLess = (since: number, than: number) => Math.abs(clock.now() - since) < than;
  const giveWay = async (): Promise<boolean> => {
    await yieldTurn();
    turnAt = clock.now();
    return stopping?.aborted !== true;
  };
  const keep = async (): Promise<boolean> => {
    lookedAt = clock.now();
    return (await leases.claim(name, holder, LEASE_MS)) === fence;
  };
  const shift: Shift = {
    fence,
    goOn: async () =>
      isLess(turnAt, TURN_MS) ||
      ((await giveWay()) && (isLess(lookedAt, LOOK_MS) || ((await isWanted()) && keep()))),
    goOnToBatch: async () => (await giveWay()) && keep(),
  };
  try {
    await work(shift);
    return true;
  } finally {
    await leases.release(name, holder);
  }
}
