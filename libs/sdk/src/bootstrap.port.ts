/** Where the flags of an earlier run are kept, as the text of a snapshot, for a start without a server. */
export interface Bootstrap {
  /** The text as it was saved, and when, ms since 1970, if that is known beside it; undefined: nothing is kept. */
  load(): Promise<{ readonly text: string; readonly at?: number } | undefined>;
  /** In place of what is kept: after a failure that is still there, whole. Left out: it is only read. */
  save?(text: string): Promise<void>;
  /** Saves come no faster than this. */
  readonly saveEveryMs: number;
  /** Safe to repeat. */
  close(): Promise<void>;
}
