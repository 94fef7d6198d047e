import { isNewer } from '@tidegate/kernel';
import type { Flag, FlagRecord, FlagSnapshot } from '@tidegate/contracts';
import { isLive } from './evaluator.ts';
import { murmur3 } from './murmur3.ts';

/**
 * The flags of one environment, each at the newest revision seen: states may come in any order and
 * any number of times, the view is the same. Deleted flags stay as tombstones, so that a late state
 * cannot bring them back.
 */
export class FlagView {
  readonly #records = new Map<string, FlagRecord>();
  readonly #lanes = [0, 0, 0, 0];
  #snapshot: FlagSnapshot | undefined;

  /** True if the state was newer than what is held. */
  apply(state: FlagRecord): boolean {
    const held = this.#records.get(state.key);
    if (held && !isNewer(state, held)) return false;
    this.#records.set(state.key, state);
    if (held) this.#weigh(held, -1);
    this.#weigh(state, 1);
    this.#snapshot = undefined;
    return true;
  }

  /** Tombstones too. */
  get(key: string): FlagRecord | undefined {
    return this.#records.get(key);
  }

  /** Everything held, tombstones too, in no order that means anything: `compile(view)`. */
  [Symbol.iterator](): Iterator<FlagRecord> {
    return this.#records.values();
  }

  /** Equal for equal (key, epoch, version) of everything held. */
  get digest(): string {
    return this.#lanes.map((lane) => lane.toString(16).padStart(8, '0')).join('');
  }

  /** Those that are not deleted, by key. */
  flags(): (FlagRecord & { flag: Flag })[] {
    return this.snapshot().flags.filter(isLive);
  }

  /** Everything held, by key, tombstones too. Made once per change. */
  snapshot(): FlagSnapshot {
    this.#snapshot ??= {
      digest: this.digest,
      flags: [...this.#records.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
      segments: [],
    };
    return this.#snapshot;
  }

  /** The digest is a sum of hashes: a change costs the same however many flags there are, and order does not matter. */
  #weigh({ key, epoch, version }: FlagRecord, sign: 1 | -1): void {
    const text = `${key} ${epoch} ${version}`;
    for (const [lane, sum] of this.#lanes.entries())
      this.#lanes[lane] = (sum + sign * murmur3(text, lane)) >>> 0;
  }
}
