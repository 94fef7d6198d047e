const MINUTE_MS = 60_000;

/** Lets so many through in a minute. */
export class PerMinute {
  readonly #most: number;
  #since = -Infinity;
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  take(): boolean {
    const now = performance.now();
    if (now - this.#since >= MINUTE_MS) {
      this.#since = now;
      this.#taken = 0;
    }
    this.#taken += 1;
    return this.#taken <= this.#most;
  }
}
