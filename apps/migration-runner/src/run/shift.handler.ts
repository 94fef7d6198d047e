import { type Clock, isRetryable } from '@tidegate/kernel';
import type { Leases } from '@tidegate/store';
import { WRITE_MS } from '../target/target.port.ts';

/** A run whose runner is gone waits until this has passed; by then no write of it can still be under way. */
export const LEASE_MS = 2 * WRITE_MS;
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
  /** Asked before each batch: likewise, but always gives way, and renews the lease unless it was a second ago. */
  goOnToBatch(): Promise<boolean>;
  /** Asked just before a write: false when less of the lease is left than a write may take, and it is not to be had. */
  mayWrite(): Promise<boolean>;
  /** Keeps the lease during one long step that cannot be interrupted. */
  during<T>(step: Promise<T>): Promise<T>;
}

export interface ShiftDeps {
  readonly leases: Leases;
  readonly clock: Clock;
  /** Left out: this process never stops. */
  readonly stopping?: AbortSignal;
  /** Lets the rest of the process have its turn. */
  readonly yieldTurn: () => Promise<void>;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface LeaseWanted {
  readonly name: string;
  readonly holder: string;
  /** False when the work is no longer to be done. */
  isWanted(): Promise<boolean>;
}

/** Works under the lease and gives it back, whatever happens. False: somebody else has it, nothing was done. */
export async function underLease(
  { leases, clock, stopping, yieldTurn, sleep }: ShiftDeps,
  { name, holder, isWanted }: LeaseWanted,
  work: (shift: Shift) => Promise<void>,
): Promise<boolean> {
  let keptAt = clock.now();
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
    const since = clock.now();
    lookedAt = since;
    const isKept = (await leases.claim(name, holder, LEASE_MS)) === fence;
    if (isKept) keptAt = since;
    return isKept;
  };
  const shift: Shift = {
    fence,
    goOn: async () =>
      isLess(turnAt, TURN_MS) ||
      ((await giveWay()) && (isLess(lookedAt, LOOK_MS) || ((await isWanted()) && keep()))),
    goOnToBatch: async () => (await giveWay()) && (isLess(keptAt, LOOK_MS) || keep()),
    mayWrite: async () => isLess(keptAt, LEASE_MS - WRITE_MS) || keep(),
    during: (step) => keptDuring(step, { sleep, keep }),
  };
  try {
    await work(shift);
    return true;
  } finally {
    await leases.release(name, holder);
  }
}

/** A lease that is lost meanwhile, or a store that is away, is noticed by whoever asks next. */
async function keptDuring<T>(
  step: Promise<T>,
  { sleep, keep }: { sleep: ShiftDeps['sleep']; keep: () => Promise<boolean> },
): Promise<T> {
  const ended = step.then(
    () => true,
    () => true, // told to whoever awaits the step
  );
  while (!(await Promise.race([ended, sleep(LEASE_MS / 4).then(() => false)])))
    try {
      await keep();
    } catch (error) {
      if (!isRetryable(error)) throw error;
    }
  return step;
}
