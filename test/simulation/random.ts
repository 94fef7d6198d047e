import type { Random } from '@tidegate/kernel';

/** The same seed gives the same numbers for ever. Mulberry32 (Tommy Ettinger, public domain). */
export class Seeded implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e_37_79_b9, 0x85_eb_ca_6b) | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d_2b_79_f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.between(0, list.length - 1)];
    if (found === undefined) throw new RangeError('Nothing to pick from.');
    return found;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list];
    return list.map(() => rest.splice(this.between(0, rest.length - 1), 1)[0] as T);
  }

  /** How many of `trials` happen, each with the same probability. */
  binomial(trials: number, probability: number): number {
    if (probability <= 0 || trials <= 0) return 0;
    if (probability >= 1) return trials;
    const log = Math.log1p(-probability);
    let count = 0;
    for (let at = -1; ; count += 1) {
      at += 1 + Math.floor(Math.log(1 - this.next()) / log);
      if (at >= trials) return count;
    }
  }
}
