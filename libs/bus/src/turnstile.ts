/** Lets one through at a time, the urgent first, else in order of arrival. */
export class Turnstile {
  readonly #urgent: (() => void)[] = [];
  readonly #others: (() => void)[] = [];
  #isTaken = false;

  /** Calls `go` once it is its turn; the next one's comes with `leave`. */
  enter(isUrgent: boolean, go: () => void): void {
    if (this.#isTaken) {
      (isUrgent ? this.#urgent : this.#others).push(go);
      return;
    }
    this.#isTaken = true;
    go();
  }

  leave(): void {
    const next = this.#urgent.shift() ?? this.#others.shift();
    if (next) next();
    else this.#isTaken = false;
  }
}
