/** Adds up e^v for logarithms v, without overflow. */
export class LogSum {
  #top = -Infinity;
  #sum = 0;

  add(value: number): void {
    if (value > this.#top) {
      this.#sum = this.#sum * Math.exp(this.#top - value) + 1;
      this.#top = value;
    } else if (!this.hides(value)) this.#sum += Math.exp(value - this.#top);
  }

  /** Whether a term is too small to change the sum by more than 1e-19 of it. */
  hides(value: number): boolean {
    return value < this.#top - 44;
  }

  /** ln of the sum; −∞ without terms. */
  get log(): number {
    return this.#top + Math.log(this.#sum);
  }
}
