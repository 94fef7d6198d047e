import type { Problem } from './report.ts';

const MOST_KEPT = 1_000;

/** What was found; so much of it is kept as a person can read. */
export class Findings {
  readonly #problems: Problem[] = [];
  #more = 0;
  redacted = 0;
  gaps = 0;

  add(problem: Problem): void {
    if (this.#problems.length < MOST_KEPT) this.#problems.push(problem);
    else this.#more += 1;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  get more(): number {
    return this.#more;
  }

  get count(): number {
    return this.#problems.length + this.#more;
  }
}
