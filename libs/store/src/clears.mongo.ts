import { setImmediate as nextTurn } from 'node:timers/promises';

interface Batch {
  readonly seqs: Set<number>;
  readonly done: Promise<void>;
}

/**
 * Clears on their way to the server. One write at a time for each document: lanes that are cleared in one turn of
 * the event loop, or while another write is under way, share the next.
 */
export class Clears {
  readonly #write: (id: string, seqs: ReadonlySet<number>) => Promise<void>;
  readonly #next = new Map<string, Batch>();
  readonly #last = new Map<string, Promise<void>>();
  readonly #watching = new Map<string, Set<Set<number>>>();

  constructor(write: (id: string, seqs: ReadonlySet<number>) => Promise<void>) {
    this.#write = write;
  }

  clear(id: string, seqs: readonly number[]): Promise<void> {
    const batch = this.#next.get(id) ?? this.#begin(id);
    for (const seq of seqs) batch.seqs.add(seq);
    return batch.done;
  }

  /**
   * What is cleared while `work` reads or saves the document, the server's answer to it may still show: a bus
   * would get it twice.
   */
  async during<T>(id: string, work: (cleared: ReadonlySet<number>) => Promise<T>): Promise<T> {
    const cleared = new Set<number>();
    const watching = this.#watching.get(id) ?? new Set();
    this.#watching.set(id, watching.add(cleared));
    try {
      return await work(cleared);
    } finally {
      watching.delete(cleared);
      if (watching.size === 0) this.#watching.delete(id);
    }
  }

  #begin(id: string): Batch {
    const seqs = new Set<number>();
    const ahead = this.#last.get(id) ?? nextTurn();
    const done = ahead.then(async () => {
      this.#next.delete(id);
      await this.#write(id, seqs);
      for (const cleared of this.#watching.get(id) ?? []) for (const seq of seqs) cleared.add(seq);
    });
    const batch = { seqs, done };
    this.#next.set(id, batch);
    const ended = done.then(
      () => undefined,
      () => undefined, // told to whoever asked
    );
    this.#last.set(id, ended);
    void ended.then(() => {
      if (this.#last.get(id) === ended) this.#last.delete(id);
    });
    return batch;
  }
}
