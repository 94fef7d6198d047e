export type Listener<T> = (value: T) => void | Promise<void>;

/** Listeners that cannot disturb each other, nor whoever calls them, by throwing or rejecting. */
export class Listeners<T> {
  readonly #listeners = new Set<{ readonly call: Listener<T> }>();
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** A function that is added twice is called twice; each is removed on its own. */
  add(call: Listener<T>): () => void {
    const own = { call };
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  notify(value: T): void {
    for (const { call } of this.#listeners)
      try {
        call(value)?.catch(this.#failed);
      } catch (error) {
        this.#failed(error);
      }
  }
}
