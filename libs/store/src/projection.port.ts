/** A record of a collection that is appended to and never changed: histories, gate samples, logs. */
export interface Entry<R> {
  /** What it is about. */
  readonly id: string;
  /** Where it stands, per id; several may share one. */
  readonly version: number;
  /** Unique per id: appending it again changes nothing. */
  readonly key: string;
  /** ms since 1970. */
  readonly at: number;
  readonly record: R;
}

export interface Projection<R> {
  /**
   * Durable when it resolves. Returns how many were new. Thrown STORE_DOCUMENT_TOO_LARGE: then none is written. When
   * the store was lost meanwhile, some may be: appending all of them again adds the others.
   */
  append(entries: readonly Entry<R>[]): Promise<number>;
  /**
   * In order of (version, arrival). `after`: only versions greater; `before`: only smaller, newest first.
   * Entries of one version are never cut apart: a page is as much longer than `limit` as its last version needs.
   */
  read(
    id: string,
    page: { after?: number; before?: number; limit: number },
  ): Promise<readonly Entry<R>[]>;
  /** The entry with the greatest version, of several the one that came last. */
  last(id: string): Promise<Entry<R> | undefined>;
  /**
   * Takes away the entries of the id up to and with this version, oldest first; safe to repeat. When the store was lost
   * meanwhile, some may be left. Returns how many it took away.
   */
  forget(id: string, upTo: number): Promise<number>;
}
