import type { GatekeeperAlive } from '@tidegate/contracts';
import { isCaredFor, isWatched, type Rollout } from '../rollout/state.ts';
import { underWay } from '../rollout/under-way.ts';

/** Longer than a claim (10 s) and the slowest check; what is not due for longer is looked after for so many checks. */
const SEEN_FOR_MS = 30_000;
const SEEN_FOR_CHECKS = 3;
/** A check that failed is tried again within a claim (10 s), by whoever comes first. */
const FAILED_FOR_MS = 30_000;
/** Rounds come every second; one that takes longer hangs. */
const ROUND_WITHIN_MS = 10_000;

interface Seen {
  readonly at: number;
  /** If it was not checked again by then, somebody else looks after it. */
  readonly until: number;
  readonly isCaredFor: boolean;
  /** It has opened a stage, and nobody has turned the flag off since. */
  readonly isOpen: boolean;
  readonly environment: string;
  readonly flag: string;
}

/** What one instance knows of its own life: what it looks after, when it last did, and whether that still works. */
export class Pulse {
  readonly #instance: string;
  readonly #seen = new Map<string, Seen>();
  readonly #failed = new Map<string, number>();
  #lastCheckAt: number | undefined;
  #lastRoundAt: number | undefined;

  constructor(instance: string) {
    this.#instance = instance;
  }

  /** A check was complete: also one that found nothing to decide. */
  checked(rollout: string, state: Rollout, at: number): void {
    this.#lastCheckAt = at;
    if (!isWatched(state)) return this.over(rollout);
    this.#failed.delete(rollout);
    const { environment, plan, exposed, flagDisabled } = state;
    const isOpen = state.status !== 'rolled-back' && exposed !== undefined && !flagDisabled;
    const until = at + Math.max(SEEN_FOR_MS, SEEN_FOR_CHECKS * plan.checkEvery);
    const about = { environment, flag: plan.flag };
    const seen = { at, until, isCaredFor: isCaredFor(state), isOpen, ...about };
    this.#seen.set(rollout, seen);
  }

  /** What was due turned out to need nobody any more. */
  over(rollout: string): void {
    this.#seen.delete(rollout);
    this.#failed.delete(rollout);
  }

  failed(rollout: string, at: number): void {
    this.#failed.set(rollout, at);
  }

  /** What was due is claimed and begun: the store answers. */
  roundDone(at: number): void {
    this.#lastRoundAt = at;
    // Only now: while rounds fail nobody checks anything, and it is still under way.
    forget(this.#seen, ([, { until }]) => at > until);
  }

  roundFailed(): void {
    this.#lastRoundAt = undefined;
  }

  /** Whether its last round was complete and none of its checks fails: what people outside rely on. */
  isWell(now: number): boolean {
    forget(this.#failed, ([, at]) => now - at > FAILED_FOR_MS);
    const isRound = this.#lastRoundAt !== undefined && now - this.#lastRoundAt <= ROUND_WITHIN_MS;
    return isRound && this.#failed.size === 0;
  }

  /** For a page: what nobody rolls back by itself meanwhile. */
  said(missing: 'bus' | 'store'): string | undefined {
    const open = [...this.#seen].filter(([, { isOpen }]) => isOpen);
    return underWay(open, missing);
  }

  /** Names only rollouts with a stage that closes if nobody looks after it: those are few. */
  beat(): GatekeeperAlive['data'] {
    const asking = [...this.#seen].filter(([, seen]) => seen.isCaredFor);
    return {
      instance: this.#instance,
      running: this.#seen.size,
      ...(this.#lastCheckAt === undefined ? {} : { lastCheckAt: this.#lastCheckAt }),
      ...(asking.length === 0
        ? {}
        : { lookedAfter: Object.fromEntries(asking.map(([rollout, { at }]) => [rollout, at])) }),
    };
  }
}

function forget<V>(map: Map<string, V>, isOld: (entry: readonly [string, V]) => boolean): void {
  for (const entry of map) if (isOld(entry)) map.delete(entry[0]);
}
