import type { WireRecord } from '@tidegate/contracts';
import type { RawRecord } from './bus.port.ts';

export interface Append {
  readonly topic: string;
  readonly partition: number;
  readonly record: WireRecord;
}

export interface Place {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/** Where a group goes on in one partition. */
export interface Position extends Place {
  readonly next: number;
}

/** Offsets `start` (the oldest that is kept) to `end` (the next to be given). */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

/**
 * A partitioned log of one process: what the embedded bus and its double in memory are made of. Names are without
 * prefix, a topic is made when it is first named. Everything but `append` is done when it returns.
 * Thrown BUS_UNREACHABLE and BUS_FAILED.
 */
export interface Log {
  /** How many partitions the topic was made with. Thrown BUS_TOPIC_UNKNOWN. */
  partitions(topic: string): number;

  /** Appends all, and moves the groups to `positions`, in one step: all of it is durable when it resolves, or nothing. */
  append(records: readonly Append[], positions?: readonly Position[]): Promise<void>;

  /** In order from offset `from` on, at least one if there is one, else at most `limit` and about `maxBytes`. */
  read(
    topic: string,
    partition: number,
    from: number,
    limit: number,
    maxBytes: number,
  ): readonly RawRecord[];

  bounds(topic: string, partition: number): Bounds;

  /** Raised when the topic was made anew. */
  incarnation(topic: string): number;

  /** Undefined for a group that never was here. */
  position(place: Place): number | undefined;

  /** Becomes durable soon: with the next append or flush, at the latest after some 100 ms. */
  move(place: Place, next: number): void;

  /** Makes the moved positions durable now. */
  flush(): void;

  /** Counts, durably, that a record is about to be handled; returns the count. Moved positions become durable as well. */
  beginAttempt(place: Place, offset: number): number;

  /** Forgets that count, since the process outlived the attempt: durably before the next attempt begins. */
  endAttempt(place: Place, offset: number): void;

  /** True if the process that had the log before ended without closing it. */
  readonly endedUncleanly: boolean;

  /** Called after each append to the partition; returns how to stop that. */
  onAppend(topic: string, partition: number, listener: () => void): () => void;

  /** Takes a record's worth of space and gives it back. Thrown BUS_UNREACHABLE. */
  check(): void;

  /**
   * Removes what retention or compaction no longer keeps, at most about `limit` records, never the newest of a partition;
   * returns how many.
   */
  clean(topic: string, now: number, limit: number): number;

  /** Topics made so far. */
  topics(): readonly string[];

  close(): void;

  /** As if the process died now: nothing pending is written, no clean end is marked. */
  abandon(): void;
}

/** What the loops need of a log; also one that lies elsewhere, whose records are here before they are read. */
export interface LoopLog extends Pick<
  Log,
  'partitions' | 'read' | 'bounds' | 'move' | 'flush' | 'endAttempt' | 'onAppend'
> {
  beginAttempt(place: Place, offset: number): number | Promise<number>;
  /** True if offsets may be missing though nothing was lost: then the log itself tells of losses. */
  readonly hasGaps?: boolean;
}
