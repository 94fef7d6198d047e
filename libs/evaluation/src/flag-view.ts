import { isNewer } from '@tidegate/kernel';
import type { FlagRecord, FlagSnapshot, SegmentRecord, ViewRecord } from '@tidegate/contracts';
import type { LiveFlag } from './compiled-flag.ts';
import { isLive } from './evaluator.ts';
import { murmur3 } from './murmur3.ts';
import { idOf, isSegment, type Records } from './references.ts';

/**
 * The flags and segments of one environment, each at the newest revision seen: states may come in any order and
 * any number of times, the view is the same. What is deleted stays as a tombstone, so that a late state
 * cannot bring it back.
 */
export class FlagView implements Records {
  readonly #flags = new Map<string, FlagRecord>();
  readonly #segments = new Map<string, SegmentRecord>();
  readonly #lanes = [0, 0, 0, 0];
  #snapshot: FlagSnapshot | undefined;

  /** True if the state was newer than what is held. */
  apply(state: ViewRecord): boolean {
    const held = this.holds(state);
    if (held && !isNewer(state, held)) return false;
    if (isSegment(state)) this.#segments.set(state.key, state);
    else this.#flags.set(state.key, state);
    if (held) this.#weigh(held, -1);
    this.#weigh(state, 1);
    this.#snapshot = undefined;
    return true;
  }

  /** The flag's record. Tombstones too. */
  get(key: string): FlagRecord | undefined {
    return this.#flags.get(key);
  }

  /** The segment's record. Tombstones too. */
  segment(key: string): SegmentRecord | undefined {
    return this.#segments.get(key);
  }

  /** What is held of the same flag or segment. */
  holds(record: ViewRecord): ViewRecord | undefined {
    return isSegment(record) ? this.#segments.get(record.key) : this.#flags.get(record.key);
  }

  /** Everything held, tombstones too, in no order that means anything: `compile(view)`. */
  *[Symbol.iterator](): Generator<ViewRecord> {
    yield* this.#flags.values();
    yield* this.#segments.values();
  }

  /** Equal for equal (key, epoch, version) of everything held. */
  get digest(): string {
    return this.#lanes.map((lane) => lane.toString(16).padStart(8, '0')).join('');
  }

  /** Those that are not deleted, by key. */
  flags(): LiveFlag[] {
    return this.snapshot().flags.filter(isLive);
  }

  /** Everything held, by key, tombstones too. Made once per change. */
  snapshot(): FlagSnapshot {
    this.#snapshot ??= {
      digest: this.digest,
      flags: [...this.#flags.values()].sort(byKey),
      segments: [...this.#segments.values()].sort(byKey),
    };
    return this.#snapshot;
  }

  /** The digest is a sum of hashes: a change costs the same however many flags there are, and order does not matter. */
  #weigh(record: ViewRecord, sign: 1 | -1): void {
    const text = `${idOf(record)} ${record.epoch} ${record.version}`;
    for (const [lane, sum] of this.#lanes.entries())
      this.#lanes[lane] = (sum + sign * murmur3(text, lane)) >>> 0;
  }
}

const byKey = (a: ViewRecord, b: ViewRecord): number => (a.key < b.key ? -1 : 1);
