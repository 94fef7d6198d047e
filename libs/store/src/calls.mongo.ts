import { AppError } from '@tidegate/kernel';
import type { StoreErrorCode } from './errors.ts';
import { nameFailure } from './failure.mongo.ts';

/** Every call of a store: named when it fails, answered in time, waited for by `end`. */
export class Calls {
  readonly #timeoutMs: number;
  readonly #underWay = new Set<Promise<void>>();
  #ended = false;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Thrown what `nameFailure` says; STORE_UNREACHABLE when it takes too long: then it may still happen. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) throw unreachable('The store is closed.');
    const call = work();
    const settled = call.then(
      () => undefined,
      () => undefined, // told to the caller, here or by the deadline before
    );
    this.#underWay.add(settled);
    void settled.then(() => this.#underWay.delete(settled));

    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      deadline.reject(
        unreachable(`The store cannot be used now: no answer within ${this.#timeoutMs} ms.`),
      );
    }, this.#timeoutMs);
    try {
      return await Promise.race([call, deadline.promise]);
    } catch (error) {
      throw nameFailure(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing begins any more; resolves when everything has ended. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#underWay);
  }
}

const unreachable = (message: string): AppError<StoreErrorCode> =>
  new AppError('STORE_UNREACHABLE', message, { retryable: true });

/** Runs `work` until it has succeeded once; those who ask meanwhile wait for the same run. */
export function once(work: () => Promise<void>): () => Promise<void> {
  let run: Promise<void> | undefined;
  return () =>
    (run ??= work().catch((error: unknown) => {
      run = undefined;
      throw error;
    }));
}
