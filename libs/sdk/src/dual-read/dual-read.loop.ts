import { AppError, messageOf } from '@tidegate/kernel';
import type { SdkErrorCode } from '../errors.ts';
import { given } from '../options.ts';
import { type Report, reportTo } from '../report.ts';
import type { Tidegate } from '../tidegate.port.ts';
import {
  type DualRead,
  type DualReadCounts,
  type DualReadOptions,
  type ReadMode,
  readModes,
  type Side,
} from './dual-read.port.ts';
import { PerMinute } from './per-minute.loop.ts';
import { settingsOf } from './settings.ts';
import { within } from './within.loop.ts';

/**
 * Brings in a new way of reading: `off`, then in its shadow, compared with what is there, then instead of it, user by user
 * as the flag says; switching back is a change of the flag. In the shadow a caller never waits for the new reading and
 * never meets its errors. Thrown SDK_OPTIONS_INVALID.
 */
export function dualRead<A extends readonly unknown[], R>(
  flags: Pick<Tidegate, 'string'>,
  options: DualReadOptions<A, R>,
): DualRead<A, R> {
  const reading = new Reading(flags, options);
  return Object.assign((...args: A) => reading.read(args), { settled: () => reading.settled() });
}

const COUNT_NOTHING: DualReadCounts = { ended: () => undefined, compared: () => undefined };

class Reading<A extends readonly unknown[], R> {
  readonly #flags: Pick<Tidegate, 'string'>;
  readonly #options: ReturnType<typeof settingsOf<A, R>>;
  readonly #counts: DualReadCounts;
  readonly #report: Report;
  readonly #samples: PerMinute;
  readonly #failures: PerMinute;
  readonly #underWay = new Set<Promise<void>>();

  constructor(flags: Pick<Tidegate, 'string'>, options: DualReadOptions<A, R>) {
    this.#flags = flags;
    this.#options = settingsOf(given(options));
    this.#counts = this.#guarded(options.metrics?.of(options.name) ?? COUNT_NOTHING);
    this.#report = reportTo(options.onError);
    this.#samples = new PerMinute(this.#options.mostSamplesPerMinute);
    this.#failures = new PerMinute(this.#options.mostSamplesPerMinute);
  }

  read(args: A): R {
    const mode = this.#modeFor(args);
    const answer = this.#timed(mode, mode === 'new' ? 'new' : 'old', args);
    const isCompared = mode === 'shadow' || (mode === 'new' && this.#options.compare === 'after');
    if (isCompared)
      void Promise.resolve(answer).then(
        (value) => {
          this.#compareLater(mode, args, value);
        },
        () => undefined, // The caller has the error, and it is counted: there is nothing to compare.
      );
    return answer;
  }

  async settled(): Promise<void> {
    await new Promise(setImmediate);
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #modeFor(args: A): ReadMode {
    const { flag, fallback } = this.#options;
    const asked = this.#asked(args);
    const mode = readModes.find((each) => each === asked);
    if (mode === undefined)
      this.#failed(`the flag ${flag} says "${asked}", not one of ${readModes.join(', ')}`);
    return mode ?? fallback;
  }

  #asked(args: A): string {
    const { flag, fallback, context } = this.#options;
    try {
      return this.#flags.string(flag, fallback, context?.(...args));
    } catch (error) {
      this.#failed(`its context failed: ${messageOf(error)}`, error);
      return fallback;
    }
  }

  /** What counts must not fail whoever reads. */
  #guarded(counts: DualReadCounts): DualReadCounts {
    const attempt = (count: () => void) => {
      try {
        count();
      } catch (error) {
        this.#failed(`its metrics failed: ${messageOf(error)}`, error);
      }
    };
    return {
      ended: (of) => {
        attempt(() => {
          counts.ended(of);
        });
      },
      compared: (...of) => {
        attempt(() => {
          counts.compared(...of);
        });
      },
    };
  }

  /**
   * The reading's own promise goes to the caller, so that it waits for nothing of ours. A query that is begun by being
   * awaited, and each time anew, is begun here, once.
   */
  #timed(mode: ReadMode, side: Side, args: A): R {
    const startedAt = performance.now();
    const ended = (outcome: 'answered' | 'failed') => {
      this.#counts.ended({
        mode,
        side,
        outcome,
        seconds: (performance.now() - startedAt) / 1_000,
      });
    };
    let answer: R;
    try {
      answer = begunOnce(this.#options[side](...args));
    } catch (error) {
      ended('failed');
      throw error;
    }
    if (isThenable(answer))
      answer.then(
        () => {
          ended('answered');
        },
        () => {
          ended('failed');
        },
      );
    else ended('answered');
    return answer;
  }

  #compareLater(mode: ReadMode, args: A, answered: Awaited<R>): void {
    if (this.#underWay.size >= this.#options.mostAtOnce) {
      this.#counts.compared(mode, 'skipped');
      return;
    }
    const comparison = this.#compare(mode, args, answered).finally(() => {
      this.#underWay.delete(comparison);
    });
    this.#underWay.add(comparison);
  }

  async #compare(mode: ReadMode, args: A, answered: Awaited<R>): Promise<void> {
    await new Promise(setImmediate); // The caller goes first.
    try {
      const [first, second] =
        mode === 'new'
          ? [await this.#aside(mode, 'old', args), answered]
          : [answered, await this.#aside(mode, 'new', args)];
      if (this.#isSame(first, second)) this.#counts.compared(mode, 'match');
      else await this.#compareAgain(mode, args);
    } catch (error) {
      this.#counts.compared(mode, 'failed');
      this.#failed(`${this.#nameOf(args)} was not compared: ${messageOf(error)}`, error);
    }
  }

  /** Somebody may have written between the two readings, or changed what the caller was given. */
  async #compareAgain(mode: ReadMode, args: A): Promise<void> {
    const [old, fresh] = await Promise.all([
      this.#aside(mode, 'old', args),
      this.#aside(mode, 'new', args),
    ]);
    const { name, onMismatch } = this.#options;
    if (this.#isSame(old, fresh)) {
      this.#counts.compared(mode, 'moved');
      return;
    }
    this.#counts.compared(mode, 'mismatch');
    if (onMismatch === undefined || !this.#samples.take()) return;
    const failed = (error: unknown) => {
      this.#failed(`onMismatch failed: ${messageOf(error)}`, error);
    };
    try {
      const mismatch = { name, mode, key: this.#nameOf(args), args, old, new: fresh };
      const told: unknown = onMismatch(mismatch);
      if (told instanceof Promise) told.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Thrown TypeError where `same` gives no answer at once: a promise would count as a match, whatever it says. */
  #isSame(old: Awaited<R>, fresh: Awaited<R>): boolean {
    const answer: unknown = this.#options.same(old, fresh);
    if (typeof answer === 'boolean') return answer;
    if (answer instanceof Promise) answer.catch(() => undefined);
    throw new TypeError('same gave neither true nor false');
  }

  /** A reading that nobody waits for. */
  async #aside(mode: ReadMode, side: Side, args: A): Promise<Awaited<R>> {
    const { timeoutMs } = this.#options;
    return within(timeoutMs, Promise.resolve(this.#timed(mode, side, args)), `the ${side} reading`);
  }

  #nameOf(args: A): string {
    const { key } = this.#options;
    try {
      return key === undefined ? args.map(String).join(', ') : key(...args);
    } catch (error) {
      return `a reading that cannot be named (${messageOf(error)})`;
    }
  }

  #failed(problem: string, cause?: unknown): void {
    if (!this.#failures.take()) return;
    const sentence = `Dual read ${this.#options.name}: ${problem}.`;
    this.#report(new AppError<SdkErrorCode>('SDK_DUAL_READ_FAILED', sentence, { cause }));
  }
}

const begunOnce = <R>(answer: R): R =>
  isThenable(answer) && !(answer instanceof Promise) ? (Promise.resolve(answer) as R) : answer;

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
