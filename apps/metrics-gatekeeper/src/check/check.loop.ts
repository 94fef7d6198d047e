import type { Clock } from '@tidegate/kernel';
import { BATCH, type Checks } from './checks.handler.ts';

/** Wakes a loop at each of the instants it was told of, besides the loop's own rhythm. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  readonly #times = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #next = Infinity;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  set(at: number): void {
    this.#times.add(at);
    if (at < this.#next) this.#arm(at);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#times.clear();
    this.#next = -Infinity;
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#next = at;
    if (at === Infinity) return;
    this.#timer = setTimeout(() => this.#now(), Math.max(0, at - this.#clock.now()));
  }

  #now(): void {
    const now = this.#clock.now();
    // A timer may go off a millisecond early, and what is due only then would be missed.
    if (now < this.#next) {
      this.#arm(this.#next);
      return;
    }
    let next = Infinity;
    for (const at of this.#times)
      if (at <= now) this.#times.delete(at);
      else next = Math.min(next, at);
    this.#arm(next);
    this.#ring();
  }
}

/**
 * One round of the control loop: claims what is due and begins it. A slow target keeps only its own rollouts waiting,
 * so the round does not wait for the checks; `settled` does.
 */
export class CheckLoop {
  readonly #checks: Checks;
  readonly #underWay = new Set<Promise<void>>();

  constructor(checks: Checks) {
    this.#checks = checks;
  }

  async round(): Promise<void> {
    for (let claimed = BATCH; claimed >= BATCH;) {
      const begun = await this.#checks.runDue();
      for (const check of begun) {
        const ended = check.finally(() => this.#underWay.delete(ended));
        this.#underWay.add(ended);
      }
      claimed = begun.length;
    }
  }

  /** Resolves once every check that has begun is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
