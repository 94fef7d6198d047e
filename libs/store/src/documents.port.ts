import type { Answer, Revision } from '@tidegate/kernel';
import type { OutgoingMessage } from '@tidegate/contracts';

/** A message that the document has handled, and what was answered. */
export interface Mark {
  readonly source: string;
  readonly id: string;
  readonly answer: Answer;
}

/** `seq` grows within one document; entries are published in its order for each (topic, key). */
export interface OutboxEntry {
  readonly seq: number;
  readonly message: OutgoingMessage;
}

/**
 * One consistency boundary: state, the messages it still owes, and what it has already handled. Its epoch is the
 * store's present one: after a restore, every document counts as newer than what was published before.
 */
export interface Document<S> extends Revision {
  readonly id: string;
  /** Counts every save, also of a refusal, which leaves `version` alone: the compare-and-set token. */
  readonly token: number;
  readonly state: S;
  /** The last 256, oldest first. */
  readonly handled: readonly Mark[];
  /** What is not yet published, in order of `seq`. */
  readonly outbox: readonly OutboxEntry[];
}

export interface Change<S> {
  readonly state: S;
  /** One more than before if the state changed, else the same. */
  readonly version: number;
  readonly mark?: Mark | undefined;
  /** Gets the next seqs, in this order. */
  readonly outbox: readonly OutgoingMessage[];
}

/** Declared fields that lists filter by; `dueAt` (ms since 1970) says when a control loop must look again. */
export interface Index {
  readonly dueAt?: number | undefined;
  readonly [field: string]: string | number | boolean | undefined;
}

export interface Collection<S> {
  /** Lower-case words with dashes, e.g. `flags`. */
  readonly name: string;
  /** Of `state`, from 1. */
  readonly schemaVersion: number;
  /** `upgrade[n]` makes a state of schema version n + 1 from one of version n: one for every older version. */
  readonly upgrade?: Readonly<Record<number, (state: unknown) => unknown>>;
  readonly index: (state: S) => Index;
  /**
   * `false`: what a save resolves outlives this process, but the newest saves of one machine may be lost with its
   * power, the later ones first. For what is made again from elsewhere, and saved too often to wait for a disk.
   */
  readonly durable?: false;
}

/** Documents of one collection. Every promise rejects with an AppError of `storeErrorCodes`. */
export interface Documents<S> {
  /** Of the collection. */
  readonly name: string;
  /** Of the store. */
  readonly epoch: number;

  /**
   * The document, its state upgraded to the present schema version; Thrown STORE_SCHEMA_NEWER when it is of a
   * newer one. `undefined` if there never was one: what was deleted stays, as a state that says so.
   */
  load(id: string): Promise<Document<S> | undefined>;

  /**
   * Writes state, version, mark and new outbox entries at once, or nothing; returns the document as it is now.
   * @param expectedToken the token that was loaded; 0 for a document that does not exist yet.
   * Thrown STORE_VERSION_CONFLICT when it is at another token; STORE_DOCUMENT_TOO_LARGE.
   */
  save(id: string, change: Change<S>, expectedToken: number): Promise<Document<S>>;

  /** Removes published entries. Touches nothing else: version, token and claim stay. Safe to repeat. */
  clear(id: string, seqs: readonly number[]): Promise<void>;

  /** Ids of documents that owe messages: first those that owe a kill, then longest owing first. */
  owing(limit: number): Promise<readonly string[]>;

  /** In order of id, those after `after`, whose index has every value of `where`. */
  list(query: {
    where?: Index;
    after?: string | undefined;
    limit: number;
  }): Promise<readonly Document<S>[]>;

  /**
   * Claims documents whose `dueAt` has come and that nobody else has claimed, for `forMs`; two callers never get
   * the same one at the same time. Longest due first. A save releases the claim; one lost in a power failure is void.
   */
  claimDue(now: number, forMs: number, limit: number): Promise<readonly string[]>;
}
