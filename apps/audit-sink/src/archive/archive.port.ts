import type { Seal } from '../seal/seal.ts';

/** What one seal adds to the archive. */
export interface SealedRange {
  readonly seal: Seal;
  /** Base64 hashes of the complete subtrees that the sealed tree is folded from, the largest first. */
  readonly peaks: readonly string[];
  /** The first position: where the seal before it ended. It ends where the seal does. */
  readonly from: number;
}

/** A range as it was archived. */
export interface ArchivedRange {
  readonly seal: Seal;
  readonly from: number;
  /** The seal that ended at `from`; none at the beginning. */
  readonly before: Seal | undefined;
  /** In order, some at a time. Thrown AUDIT_ARCHIVE_FAILED. */
  lines(): AsyncIterable<readonly string[]>;
}

/** A copy of the sealed log that can be verified without the system that wrote it. One writer at a time. */
export interface Archive {
  /** The newest seal: everything that it covers is archived. */
  newest(): Promise<Seal | undefined>;

  /** Those that end behind `size`, in order. Thrown AUDIT_ARCHIVE_FAILED. */
  ranges(size: number): AsyncIterable<ArchivedRange>;

  /** The public key, PEM; undefined if it is not here. */
  key(id: string): Promise<string | undefined>;

  /**
   * Adds a range; when it resolves, lines and seal are there to stay, and never changed again. Begun again after
   * a crash it ends as if there had been none.
   * @param lines of the range, in order, some at a time
   * Thrown AUDIT_ARCHIVE_DIFFERS, AUDIT_ARCHIVE_FAILED.
   */
  add(range: SealedRange, lines: AsyncIterable<readonly string[]>): Promise<void>;
}
