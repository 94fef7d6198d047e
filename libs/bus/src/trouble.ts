import type { Clock } from '@tidegate/kernel';

/** The last reason that connections failed for: without it a question that was not answered in time says nothing. */
export class Trouble {
  readonly #clock: Clock;
  #last: { readonly why: string; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  heard(why: string): void {
    this.#last = { why, at: this.#clock.now() };
  }

  /** `: <why>`, to stand behind a sentence; empty if there was none lately. */
  within(ms: number): string {
    return this.#last && this.#clock.now() - this.#last.at <= ms ? `: ${this.#last.why}` : '';
  }
}
