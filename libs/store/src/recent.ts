/** What was used last, up to a total weight; the least recently set goes first. */
export class Recent<V> {
  readonly #most: number;
  readonly #values = new Map<string, { readonly value: V; readonly weight: number }>();
  #weight = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): V | undefined {
    return this.#values.get(key)?.value;
  }

  /** One that is heavier than everything together may be is not kept. */
  set(key: string, value: V, weight: number): void {
    this.delete(key);
    this.#values.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#values.keys()) {
      if (this.#weight <= this.#most) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#weight -= this.#values.get(key)?.weight ?? 0;
    this.#values.delete(key);
  }
}
