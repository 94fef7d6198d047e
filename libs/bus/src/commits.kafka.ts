import type { Clock } from '@tidegate/kernel';
import type { Consumption } from './consumption.kafka.ts';
import { busError } from './errors.ts';
import type { Lot } from './lot.kafka.ts';
import type { KafkaBudgets } from './options.kafka.ts';

export interface CommitsOptions {
  readonly consumption: Consumption;
  readonly clock: Clock;
  readonly budgets: KafkaBudgets;
  lots(): Iterable<Lot>;
  /** Nothing could be committed for longer than an outage may last. */
  lagging(message: string): void;
}

/** Commits what is handled: one commit after another, so that an older position never comes after a newer one. */
export class Commits {
  readonly #options: CommitsOptions;
  #last: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #failingSince: number | undefined;
  #isTold = false;

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** @param due asked each time whether now is the time */
  start(due: () => boolean): void {
    this.#timer = setTimeout(() => {
      if (due()) this.soon(true);
      this.start(due);
    }, this.#options.budgets.commitEvery);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** What is not committed now is so next time, or is handled once more. */
  soon(isInHand: boolean): void {
    this.now(isInHand).catch((error: unknown) => {
      this.#failed(error as Error);
    });
  }

  /** @param isInHand who finds the mark later knows that this member had not put it down. Thrown BUS_UNREACHABLE. */
  now(isInHand: boolean): Promise<void> {
    const { membership } = this.#options.consumption;
    const committing = this.#last.then(() => this.#commit(isInHand, membership));
    this.#last = committing.catch(() => undefined); // whoever asked hears of it
    return committing;
  }

  /** Others may have gone on from there since the group was joined anew. */
  async #commit(isInHand: boolean, membership: number): Promise<void> {
    const { consumption, lots } = this.#options;
    if (membership !== consumption.membership)
      throw busError('BUS_UNREACHABLE', 'The group was joined anew meanwhile.');
    const due = [...lots()].flatMap((lot) => {
      const commit = lot.isOpen ? lot.commit(isInHand) : undefined;
      return commit ? [{ lot, commit }] : [];
    });
    await consumption.commit(
      due.map(({ lot: { topic, partition }, commit }) => ({ topic, partition, ...commit })),
    );
    for (const { lot, commit } of due) lot.committed(commit);
    this.#failingSince = undefined;
    this.#isTold = false;
  }

  #failed({ message }: Error): void {
    const { clock, budgets, lagging } = this.#options;
    this.#failingSince ??= clock.now();
    const forMs = clock.now() - this.#failingSince;
    if (this.#isTold || forMs < budgets.outage) return;
    this.#isTold = true;
    lagging(`could not commit for ${forMs} ms: ${message}`);
  }
}
