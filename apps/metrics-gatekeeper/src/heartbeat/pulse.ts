import type { GatekeeperAlive } from '@tidegate/contracts';
import { isCaredFor, isWatched, type Rollout } from '../rollout/state.ts';
import { underWay } from '../rollout/under-way.ts';

/** Somebody else may look after it by now. */
const SEEN_FOR_MS = 60_000;
/** A check that failed is tried again within a claim (10 s), by whoever comes first. */
const FAILED_FOR_MS = 30_000;
/** Rounds come every second; one that takes longer hangs. */
const ROUND_WITHIN_MS = 10_000;

interface Seen {
  readonly at: number;
  readonly isCaredFor: boolean;
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
    this.#failed.delete(rollout);
    if (!isWatched(state)) {
      this.#seen.delete(rollout);
      return;
    }
    const { environment, plan } = state;
    const seen = { at, isCaredFor: isCaredFor(state), environment, flag: plan.flag };
    this.#seen.set(rollout, seen);
  }

  failed(rollout: string, at: number): void {
    this.#failed.set(rollout, at);
  }

  /** What was due is claimed and begun: the store answers. */
  roundDone(at: number): void {
    this.#lastRoundAt = at;
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
  said(): string | undefined {
    return underWay([...this.#seen]);
  }

  /** Names only rollouts with a stage that closes if nobody looks after it: those are few. */
  beat(now: number): GatekeeperAlive['data'] {
    forget(this.#seen, ([, { at }]) => now - at > SEEN_FOR_MS);
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
