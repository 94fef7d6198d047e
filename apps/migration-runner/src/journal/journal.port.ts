import type { Row } from '@tidegate/migration';
import type { Kept, KeptEdit, KeptFor } from './kept.ts';

/** What is kept before documents are changed. */
export interface Keeping {
  readonly run: string;
  readonly definitionHash: string;
  readonly kind: KeptFor;
  readonly batch: number;
  readonly fence: number;
  readonly edits: readonly KeptEdit[];
  /** In the order of `edits`; left out: they are not kept. */
  readonly images?: readonly Row[];
}

/**
 * A moment of the journal, beside the batches. `reverted`, `forgotten`: up to `place` everything was. `undone`: of what lies
 * there, all that this run kept.
 */
export interface JournalMark {
  readonly kind: 'reverting' | 'reverted' | 'undone' | 'forgotten';
  readonly run: string;
  readonly place: number;
}

/** How documents are made bytes and back; a target is one. */
export interface Packing {
  pack(rows: readonly Row[]): Uint8Array;
  unpack(bytes: Uint8Array): readonly Row[];
}

/** The way back of one migration, newest first: kept in our own store, and by one runner at a time. */
export interface Journal {
  /** Durable when it resolves, with its place. Undefined: there is no room for it, and none of it was kept. */
  keep(keeping: Keeping): Promise<number | undefined>;
  /** The greatest place there is; 0 for none. */
  top(): Promise<number>;
  /**
   * The newest below the place; several where two runners kept at the same time.
   * @param what `edits`: without images, which is cheaper
   */
  below(place: number, what?: 'edits'): Promise<readonly Kept[]>;
  /** How many edits are kept above the place. */
  editsAbove(place: number): Promise<number>;
  /** False: another batch as large as the last would find no room. */
  hasRoom(): Promise<boolean>;
  /** Bytes that are kept, compressed. */
  bytes(): Promise<number>;
  marks(): Promise<readonly JournalMark[]>;
  /** Once for each kind and run; the first one stays. */
  mark(mark: JournalMark): Promise<void>;
  /** Takes away all up to the place. */
  forget(place: number): Promise<void>;
}

export interface Journals {
  /** @param packing of the migration's target */
  open(migration: string, packing: Packing): Journal;
}
