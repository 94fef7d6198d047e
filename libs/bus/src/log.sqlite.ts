import type { Clock } from '@tidegate/kernel';
import type { RawRecord } from './bus.port.ts';
import { closedError, LogFile } from './log-file.sqlite.ts';
import type { Append, Bounds, Log, Place, Position } from './log.port.ts';
import type { Partition } from './partition.sqlite.ts';
import { definitionOfTopic } from './topic.ts';
import { Topics } from './topics.sqlite.ts';

/** What one transaction takes at most, so that a flood of publishes does not keep the consumers out. */
const RECORDS_PER_COMMIT = 2_000;
const BYTES_PER_COMMIT = 16_000_000;
const POSITIONS_DURABLE_AFTER_MS = 100;

/** What one call appends: stands or falls as a whole. */
interface Unit {
  readonly records: readonly Append[];
  readonly positions: readonly Position[];
  resolve(): void;
  reject(error: unknown): void;
}

/** The log in one SQLite file, which this process has to itself until it is closed. */
export class SqliteLog implements Log {
  readonly endedUncleanly: boolean;
  readonly #file: LogFile;
  readonly #topics: Topics;
  readonly #clock: Clock;
  readonly #sql: ReturnType<typeof statements>;
  /** By whoever moves there: one loop has one place. */
  readonly #moved = new Map<Place, number>();
  readonly #outlived: [Place, number][] = [];
  #pending: Unit[] = [];
  #isCommitDue = false;
  #moveTimer: NodeJS.Timeout | undefined;

  /** Thrown BUS_IN_USE, BUS_FORMAT_UNKNOWN, BUS_UNREACHABLE. */
  constructor(options: { file: string; prefix: string; clock: Clock }) {
    this.#clock = options.clock;
    this.#file = new LogFile(options.file);
    this.#sql = statements(this.#file);
    this.#topics = new Topics(this.#file, options.prefix, options.clock);
    this.endedUncleanly = this.#sql.mark.get('open')?.['value'] === 1;
    this.#file.transaction(() => this.#sql.setMark.run('open', 1));
  }

  get isClosed(): boolean {
    return this.#file.isClosed;
  }

  partitions(topic: string): number {
    return this.#topics.get(topic).partitions.length;
  }

  topics(): readonly string[] {
    return this.#topics.names();
  }

  async append(records: readonly Append[], positions: readonly Position[] = []): Promise<void> {
    if (this.#file.isClosed) throw closedError();
    for (const { topic, partition } of records) this.#topics.partition(topic, partition);
    return new Promise((resolve, reject) => {
      this.#pending.push({ records, positions, resolve, reject });
      this.#commitInThisTurn();
    });
  }

  read(
    topic: string,
    partition: number,
    from: number,
    limit: number,
    maxBytes: number,
  ): readonly RawRecord[] {
    const { incarnation } = this.#topics.get(topic);
    const stored = this.#topics.partition(topic, partition).read(from, limit, maxBytes);
    return stored.map(({ offset, recordedAt, record }) => ({
      origin: { topic, incarnation, partition, offset: BigInt(offset) },
      recordedAt,
      record,
    }));
  }

  bounds(topic: string, partition: number): Bounds {
    return this.#topics.partition(topic, partition).bounds();
  }

  incarnation(topic: string): number {
    return this.#topics.get(topic).incarnation;
  }

  position(place: Place): number | undefined {
    this.flush();
    const { number } = this.#partition(place);
    const row = this.#file.named(() => this.#sql.position.get(place.group, number));
    return row === undefined ? undefined : Number(row['next']);
  }

  move(place: Place, next: number): void {
    if (this.#file.isClosed) return;
    this.#moved.set(place, next);
    this.#moveTimer ??= setTimeout(() => {
      this.#moveTimer = undefined;
      this.#commitInThisTurn();
    }, POSITIONS_DURABLE_AFTER_MS).unref();
  }

  flush(): void {
    if (this.#moved.size + this.#outlived.length > 0) this.#write(() => undefined);
  }

  beginAttempt(place: Place, offset: number): number {
    const { number } = this.#partition(place);
    const row = this.#write(() => this.#sql.beginAttempt.get(place.group, number, offset));
    return Number(row?.['count']);
  }

  endAttempt(place: Place, offset: number): void {
    this.#outlived.push([place, offset]);
  }

  onAppend(topic: string, partition: number, listener: () => void): () => void {
    const { listeners } = this.#topics.partition(topic, partition);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  check(): void {
    this.#file.transaction(() => this.#sql.setMark.run('checked', this.#clock.now()));
  }

  clean(topic: string, now: number, limit: number): number {
    const definition = definitionOfTopic(topic);
    let removed = 0;
    for (const partition of this.#topics.get(topic).partitions) {
      if (definition?.cleanup === 'compact') removed += partition.compact(now);
      else if (definition?.retentionMs !== undefined && removed < limit)
        removed += partition.dropBefore(now - definition.retentionMs, limit - removed);
    }
    return removed;
  }

  close(): void {
    if (this.#file.isClosed) return;
    while (this.#pending.length > 0) this.#commitPending();
    try {
      this.#write(() => this.#sql.setMark.run('open', 0));
    } finally {
      this.abandon();
    }
  }

  abandon(): void {
    if (this.#file.isClosed) return;
    clearTimeout(this.#moveTimer);
    for (const { reject } of this.#pending.splice(0)) reject(closedError());
    this.#file.close();
  }

  #commitInThisTurn(): void {
    if (this.#isCommitDue) return;
    this.#isCommitDue = true;
    setImmediate(() => {
      this.#isCommitDue = false;
      if (this.#file.isClosed) return;
      this.#commitPending();
      if (this.#pending.length > 0) this.#commitInThisTurn();
    });
  }

  /**
   * One transaction, one fsync, for as many of the waiting units as fit. Positions that cannot be written stay for the
   * next time: without them records only come again.
   */
  #commitPending(): void {
    const units = this.#takeUnits();
    const touched = new Set<Partition>();
    try {
      this.#write(() => {
        for (const { records, positions } of units) {
          for (const record of records) touched.add(this.#insert(record));
          for (const position of positions) this.#setPosition(position, position.next);
        }
      });
    } catch (error) {
      for (const partition of touched) partition.rolledBack();
      for (const { reject } of units) reject(error);
      return;
    }
    for (const { resolve } of units) resolve();
    for (const partition of touched) partition.committed();
  }

  #takeUnits(): readonly Unit[] {
    let count = 0;
    let records = 0;
    let bytes = 0;
    for (const unit of this.#pending) {
      if (count > 0 && (records >= RECORDS_PER_COMMIT || bytes >= BYTES_PER_COMMIT)) break;
      count += 1;
      records += unit.records.length;
      for (const { record } of unit.records) bytes += record.value?.byteLength ?? 0;
    }
    return this.#pending.splice(0, count);
  }

  #insert({ topic, partition, record }: Append): Partition {
    const place = this.#topics.partition(topic, partition);
    place.insert(this.#clock.now(), record);
    return place;
  }

  /** A transaction that takes along what has waited for one. */
  #write<T>(run: () => T): T {
    const result = this.#file.transaction(() => {
      for (const [place, next] of this.#moved) this.#setPosition(place, next);
      for (const [place, offset] of this.#outlived)
        this.#sql.endAttempt.run(place.group, this.#partition(place).number, offset);
      return run();
    });
    this.#moved.clear();
    this.#outlived.length = 0;
    return result;
  }

  #setPosition(place: Place, next: number): void {
    this.#sql.setPosition.run(place.group, this.#partition(place).number, next);
  }

  #partition({ topic, partition }: Place): Partition {
    return this.#topics.partition(topic, partition);
  }
}

const statements = (file: LogFile) => ({
  position: file.prepare('SELECT next FROM positions WHERE grp = ? AND part = ?'),
  setPosition: file.prepare('INSERT OR REPLACE INTO positions VALUES (?, ?, ?)'),
  beginAttempt: file.prepare(
    'INSERT INTO attempts VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count',
  ),
  endAttempt: file.prepare('DELETE FROM attempts WHERE grp = ? AND part = ? AND offset = ?'),
  mark: file.prepare('SELECT value FROM marks WHERE name = ?'),
  setMark: file.prepare('INSERT OR REPLACE INTO marks VALUES (?, ?)'),
});
