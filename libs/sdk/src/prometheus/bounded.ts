/** Lets at most `most` different labels through, the first ones; the rest is `other`. */
export class Bounded {
  readonly #known = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  label(wanted: string): string {
    if (this.#known.has(wanted)) return wanted;
    if (this.#known.size >= this.#most) return 'other';
    this.#known.add(wanted);
    return wanted;
  }
}
