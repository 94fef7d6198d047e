import type {
  Message,
  MessageDefinition,
  OutgoingMessage,
  Publish,
  WireRecord,
} from '@tidegate/contracts';

/** Where a record stands. The incarnation is raised when a topic was made anew. */
export interface Origin {
  readonly topic: string;
  readonly incarnation: number;
  readonly partition: number;
  readonly offset: bigint;
}

/** The record that a reader needs next. */
export type Resume = Origin;

export interface RawRecord {
  readonly origin: Origin;
  readonly record: WireRecord;
  /** When the log took it, ms since 1970. */
  readonly recordedAt: number;
}

export interface Delivery extends RawRecord {
  readonly message: Message;
  readonly definition: MessageDefinition;
  /** 1 for the first time. */
  readonly attempt: number;
}

/**
 * `handle` resolves: done (a Rejection is an answer too). It rejects: `afterFailure` decides.
 * Records of one partition are handled one after another, of different ones side by side.
 */
export interface Subscription {
  /** A new group starts at the beginning. One member per group in the embedded adapter: else BUS_GROUP_IN_USE. */
  readonly group: string;
  /** What the bus keeps for replays belongs to every group as well, and shows in its lag as topic `replays`. */
  readonly topics: readonly string[];
  /** Other types are passed over. */
  readonly types: ReadonlySet<string>;
  handle(delivery: Delivery): Promise<unknown>;
}

/**
 * Whole records as they are, also what cannot be decoded: for archives. Batches come one after another, each in order of
 * its partitions. One is committed when `handle` resolves; when it rejects, whatever was thrown, the same comes again.
 */
export interface RawSubscription {
  readonly group: string;
  readonly topics: readonly string[];
  readonly maxBatch: number;
  /**
   * Where the reader's own record of what it has read ends, by partition: it goes on there, and in a partition that
   * is not listed at the beginning, wherever the group had got to. Left out: the group's position counts.
   */
  readonly from?: readonly Resume[];
  handle(batch: readonly RawRecord[]): Promise<void>;
}

/** A compacted topic read from its start; no committed group. */
export interface ViewSource {
  readonly topic: string;
  /** A record, or a tombstone (`message` undefined). What cannot be decoded is counted and passed over. */
  apply(key: string, message: Message | undefined): void;
}

export interface View {
  /** Resolves once everything that stood in the topic when the view began is applied. */
  readonly caughtUp: Promise<void>;
  /** The log has answered its reader a moment ago: what is appended comes. A bus that takes records may not give any. */
  readonly isReading: boolean;
  close(): Promise<void>;
}

export interface Running {
  /** Finishes what is under way, commits, takes nothing more. */
  stop(): Promise<void>;
}

export interface PartitionLag {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  /** Age of the oldest record not yet handled, ms; 0 without lag. */
  readonly ageMs: number;
  /** Why it waits, if a retry is under way. */
  readonly waitingFor?: string;
  /** When a record was last handled, ms since 1970. */
  readonly lastProgressAt?: number;
}

export interface DeadLetter {
  readonly id: string;
  readonly at: number;
  readonly group: string;
  readonly origin: Origin;
  readonly reason: string;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly record: WireRecord;
  readonly replayedAt?: number;
}

export interface DeadLetters {
  /** Newest first; `after` is an id. */
  list(page: { after?: string; limit: number }): Promise<readonly DeadLetter[]>;
  find(id: string): Promise<DeadLetter | undefined>;
  /**
   * Delivers the stored record again, to the one group that failed, at its own new place in the order.
   * Thrown BUS_DEAD_LETTER_UNKNOWN.
   */
  replay(id: string, by: string): Promise<void>;
}

/** What the bus noticed and somebody must act on; only `platform` ends a process. */
export type BusReport =
  | {
      readonly kind: 'stuck';
      readonly group: string;
      readonly topic: string;
      readonly message: string;
    }
  | {
      readonly kind: 'lagging';
      readonly group: string;
      readonly topic: string;
      readonly message: string;
    }
  | { readonly kind: 'dead-lettered'; readonly letter: DeadLetter }
  /** It was there already, with other settings than the catalogue's: nothing is changed. */
  | { readonly kind: 'topic-differs'; readonly topic: string; readonly message: string }
  | { readonly kind: 'unknown-type'; readonly group: string; readonly type: string }
  /** A view passed over a record that it could not read or apply. */
  | {
      readonly kind: 'passed-over';
      readonly topic: string;
      readonly code: string;
      readonly message: string;
    };

/** Every promise rejects with an AppError of `busErrorCodes`. */
export interface Bus {
  readonly publish: Publish;
  subscribe(subscription: Subscription): Promise<Running>;
  subscribeRaw(subscription: RawSubscription): Promise<Running>;
  view(source: ViewSource): Promise<View>;
  readonly deadLetters: DeadLetters;
  lag(): Promise<readonly PartitionLag[]>;
  onReport(listener: (report: BusReport) => void): void;
  /** Those that were ever made, without prefix. Thrown BUS_UNREACHABLE. */
  topics(): Promise<readonly string[]>;
  /** Resolves if the log takes records now. Thrown BUS_UNREACHABLE. */
  check(): Promise<void>;
  /** Stops all subscriptions and views in order, then the producer. */
  close(): Promise<void>;
}

/** The size limit of one encoded message, key, headers and value together. */
export const MAX_MESSAGE_BYTES = 1_048_576 + 16_384;

export type { OutgoingMessage };
