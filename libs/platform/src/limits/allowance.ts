/** Length of the window that limits are counted in. */
export const WINDOW_MS = 60_000;

/** What is known of a count that other processes add to as well. */
export interface SharedCount {
  readonly total: number;
  /** Until it starts again from 0. */
  readonly endsInMs: number;
}

/**
 * What one caller has used in the window under way. Every time is of one clock that never goes back. It decides by
 * itself, at once; what others have counted comes later, with `settle`, and is the truth from then on.
 */
export class Allowance {
  readonly name: string;
  #endsAt = Number.NEGATIVE_INFINITY;
  /** As the shared count had it, this process's part included. */
  #settled = 0;
  /** On its way to the shared count, of the window that ends at `#sentEndsAt`. */
  #sent = 0;
  #sentEndsAt = 0;
  /** Used here since. */
  #fresh = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** True if one more is within the limit, which counts it; what is refused does not count. */
  take(limit: number, now: number): boolean {
    if (now >= this.#endsAt) this.#begin(now);
    if (this.#used >= limit) return false;
    this.#fresh += 1;
    return true;
  }

  remaining(limit: number): number {
    return Math.max(0, limit - this.#used);
  }

  endsInMs(now: number): number {
    return Math.max(0, this.#endsAt - now);
  }

  isOver(now: number): boolean {
    return now >= this.#endsAt;
  }

  /** What is to be added to the shared count: then `settle` or `unsent` has to follow. */
  send(): number {
    this.#sent = this.#fresh;
    this.#sentEndsAt = this.#endsAt;
    this.#fresh = 0;
    return this.#sent;
  }

  settle({ total, endsInMs }: SharedCount, now: number): void {
    this.#sent = 0;
    this.#settled = total;
    this.#endsAt = now + endsInMs;
  }

  /** It did not arrive, or nobody knows: it is sent again, as long as it is of this window. */
  unsent(): void {
    if (this.#sentEndsAt === this.#endsAt) this.#fresh += this.#sent;
    this.#sent = 0;
  }

  get #used(): number {
    return this.#settled + this.#sent + this.#fresh;
  }

  #begin(now: number): void {
    this.#endsAt = now + WINDOW_MS;
    this.#settled = 0;
    this.#fresh = 0;
  }
}
