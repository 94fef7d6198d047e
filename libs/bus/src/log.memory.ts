import type { WireRecord } from '@tidegate/contracts';
import type { Clock } from '@tidegate/kernel';
import type { RawRecord } from './bus.port.ts';
import { busError } from './errors.ts';
import type { Append, Bounds, Log, Place, Position } from './log.port.ts';
import { definitionOfTopic } from './topic.ts';

interface Partition {
  end: number;
  records: RawRecord[];
  readonly listeners: Set<() => void>;
}

/** What would be on the disk: outlives the logs that are opened on it, one after another. */
export class MemoryFile {
  readonly topics = new Map<string, readonly Partition[]>();
  readonly positions = new Map<string, number>();
  readonly attempts = new Map<string, number>();
  isOpen = false;
}

const TOMBSTONES_KEPT_MS = 86_400_000;
const keyOf = ({ group, topic, partition }: Place): string => `${group} ${topic} ${partition}`;

/** The log as values: what `SqliteLog` promises, without a disk. */
export class MemoryLog implements Log {
  readonly endedUncleanly: boolean;
  readonly #file: MemoryFile;
  readonly #clock: Clock;
  readonly #moved = new Map<string, number>();
  #isClosed = false;

  constructor(file: MemoryFile, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
    this.endedUncleanly = file.isOpen;
    file.isOpen = true;
  }

  partitions(topic: string): number {
    return this.#topic(topic).length;
  }

  topics(): readonly string[] {
    return [...this.#file.topics.keys()];
  }

  async append(records: readonly Append[], positions: readonly Position[] = []): Promise<void> {
    this.#mustBeOpen();
    for (const { topic, partition } of records) this.#partition(topic, partition);
    const touched = new Set(records.map((record) => this.#insert(record)));
    for (const position of positions) this.#moved.set(keyOf(position), position.next);
    this.flush();
    for (const { listeners } of touched) for (const listener of listeners) listener();
  }

  read(
    topic: string,
    partition: number,
    from: number,
    limit: number,
    maxBytes: number,
  ): readonly RawRecord[] {
    this.#mustBeOpen();
    const { records, end } = this.#partition(topic, partition);
    if (from >= end) return [];
    const found: RawRecord[] = [];
    let bytes = 0;
    for (let at = firstFrom(records, from); at < records.length && found.length < limit; at += 1) {
      const record = records[at];
      if (!record) break;
      found.push(record);
      bytes += record.record.value?.byteLength ?? 0;
      if (bytes >= maxBytes) break;
    }
    return found;
  }

  bounds(topic: string, partition: number): Bounds {
    const { records, end } = this.#partition(topic, partition);
    return { start: Number(records[0]?.origin.offset ?? end), end };
  }

  incarnation(_topic: string): number {
    return 1;
  }

  position(place: Place): number | undefined {
    return this.#moved.get(keyOf(place)) ?? this.#file.positions.get(keyOf(place));
  }

  move(place: Place, next: number): void {
    if (!this.#isClosed) this.#moved.set(keyOf(place), next);
  }

  flush(): void {
    for (const [place, next] of this.#moved) this.#file.positions.set(place, next);
    this.#moved.clear();
  }

  beginAttempt(place: Place, offset: number): number {
    this.#mustBeOpen();
    const key = `${keyOf(place)} ${offset}`;
    const count = (this.#file.attempts.get(key) ?? 0) + 1;
    this.#file.attempts.set(key, count);
    return count;
  }

  endAttempt(place: Place, offset: number): void {
    if (!this.#isClosed) this.#file.attempts.delete(`${keyOf(place)} ${offset}`);
  }

  onAppend(topic: string, partition: number, listener: () => void): () => void {
    const { listeners } = this.#partition(topic, partition);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  check(): void {
    this.#mustBeOpen();
  }

  clean(topic: string, now: number): number {
    const definition = definitionOfTopic(topic);
    let removed = 0;
    for (const partition of this.#topic(topic)) {
      const { records } = partition;
      const newestOf = new Map(records.map((entry) => [entry.record.key, entry]));
      const isKept = (entry: RawRecord, index: number): boolean => {
        if (index === records.length - 1) return true;
        if (definition?.cleanup !== 'compact')
          return entry.recordedAt >= now - (definition?.retentionMs ?? Infinity);
        if (newestOf.get(entry.record.key) !== entry) return false;
        return entry.record.value !== null || entry.recordedAt >= now - TOMBSTONES_KEPT_MS;
      };
      partition.records = records.filter(isKept);
      removed += records.length - partition.records.length;
    }
    return removed;
  }

  close(): void {
    if (this.#isClosed) return;
    this.flush();
    this.#file.isOpen = false;
    this.#isClosed = true;
  }

  abandon(): void {
    this.#isClosed = true;
  }

  #insert({ topic, partition, record }: Append): Partition {
    const place = this.#partition(topic, partition);
    place.records.push({
      origin: { topic, incarnation: 1, partition, offset: BigInt(place.end) },
      recordedAt: this.#clock.now(),
      record: copyOf(record),
    });
    place.end += 1;
    return place;
  }

  #topic(name: string): readonly Partition[] {
    const known = this.#file.topics.get(name);
    if (known) return known;
    const definition = definitionOfTopic(name);
    if (!definition) throw busError('BUS_TOPIC_UNKNOWN', `There is no topic ${name}.`);
    const topic = Array.from({ length: definition.partitions }, () => ({
      end: 0,
      records: [],
      listeners: new Set<() => void>(),
    }));
    this.#file.topics.set(name, topic);
    return topic;
  }

  #partition(topic: string, index: number): Partition {
    const partition = this.#topic(topic)[index];
    if (!partition) throw new RangeError(`${topic} has no partition ${index}.`);
    return partition;
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw busError('BUS_CLOSED', 'The bus is closed.');
  }
}

const copyOf = ({ key, headers, value }: WireRecord): WireRecord => ({
  key,
  headers: { ...headers },
  value: value && new Uint8Array(value),
});

/** Index of the first record at or after an offset; records are in order. */
function firstFrom(records: readonly RawRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Number(records[middle]?.origin.offset) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
