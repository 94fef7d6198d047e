/** How much may be worked for something: visits of a part of a rule, so that the same input always ends at the same place. */
export class Work {
  readonly most: number;
  readonly #within: Work | undefined;
  #left: number;

  /** What is spent is spent of `within`, too. */
  constructor(most: number, within?: Work) {
    this.most = most;
    this.#within = within;
    this.#left = most;
  }

  spend(parts = 1): void {
    this.#left -= parts;
    this.#within?.spend(parts);
  }

  get isSpent(): boolean {
    return this.#left < 0 || this.#within?.isSpent === true;
  }
}
