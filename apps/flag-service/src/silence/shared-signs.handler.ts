import { type Clock, isAppError } from '@tidegate/kernel';
import type { Collection, Documents } from '@tidegate/store';
import type { WatchedHold } from './silence.ts';
import type { SignsOfLife } from './signs-of-life.ts';

/** What all replicas together have heard. */
export interface StoredSigns {
  readonly heard: Readonly<Record<string, number>>;
}

export const signsCollection: Collection<StoredSigns> = {
  name: 'signs-of-life',
  schemaVersion: 1,
  index: () => ({}),
};

const ID = 'metrics-gatekeeper';
const DAY_MS = 86_400_000;

/**
 * Tells the other replicas, through the store, what this one has heard: one that is cut off from the bus closes nothing
 * that others know to be looked after, and one that was down knows since when it is silent.
 */
export class SharedSigns {
  readonly #documents: Documents<StoredSigns>;
  readonly #clock: Clock;
  readonly #signs: SignsOfLife;
  #shared: Readonly<Record<string, number>> = {};

  constructor(documents: Documents<StoredSigns>, clock: Clock, signs: SignsOfLife) {
    this.#documents = documents;
    this.#clock = clock;
    this.#signs = signs;
  }

  /** Takes over what others have heard. */
  async learn(): Promise<void> {
    await this.#read();
  }

  /** Writes rarely: when what is shared of a flag has become older than a quarter of the silence that would close it. */
  async tell(watched: readonly WatchedHold[]): Promise<void> {
    if (!this.#isBehind(watched)) return;
    const document = await this.#read();
    if (!this.#isBehind(watched)) return;
    const needed = new Set(watched.map(({ rollout }) => rollout.id));
    this.#signs.forgetBefore(this.#clock.now() - DAY_MS, needed);
    const heard = this.#signs.all();
    const change = { state: { heard }, version: (document?.version ?? 0) + 1, outbox: [] };
    try {
      await this.#documents.save(ID, change, document?.token ?? 0);
      this.#shared = heard;
    } catch (error) {
      // Another replica was first; what it has not told is told in the next round.
      if (!isAppError(error, 'STORE_VERSION_CONFLICT')) throw error;
    }
  }

  async #read() {
    const document = await this.#documents.load(ID);
    this.#shared = document?.state.heard ?? {};
    this.#signs.hear(this.#shared, this.#clock.now());
    return document;
  }

  #isBehind(watched: readonly WatchedHold[]): boolean {
    return watched.some(({ rollout: { id }, watch: { closeIfSilentMs } }) => {
      const heardAt = this.#signs.heardAt(id);
      const sharedAt = this.#shared[id];
      if (heardAt === undefined) return false;
      return sharedAt === undefined || heardAt - sharedAt >= closeIfSilentMs / 4;
    });
  }
}
