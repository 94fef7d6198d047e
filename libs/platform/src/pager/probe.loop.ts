import { formatDuration, messageOf } from '@tidegate/kernel';

/** Asks whether something answers; one question at a time, however long it takes. */
export class Probe {
  readonly #check: () => Promise<void>;
  #underWay: Promise<string | undefined> | undefined;

  constructor(check: () => Promise<void>) {
    this.#check = check;
  }

  /** Why there is no answer within so long; undefined if there is one. */
  async ask(longestMs: number): Promise<string | undefined> {
    this.#underWay ??= (async () => this.#check())()
      .then(() => undefined, messageOf)
      .finally(() => {
        this.#underWay = undefined;
      });
    const { promise: late, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(resolve, longestMs, `no answer in ${formatDuration(longestMs)}.`);
    try {
      return await Promise.race([this.#underWay, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
