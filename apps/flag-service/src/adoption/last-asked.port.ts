/** What is known of the asking for flags in one environment. Times in ms since 1970. */
export interface Asked {
  /** Since when it is counted at all: what was asked before is not known. */
  readonly countedSince: number;
  /** When each flag was last asked for by its key, to a second or so; not there: not since `countedSince`. */
  readonly flags: ReadonlyMap<string, number>;
  /** When somebody last got all flags who does not tell which it uses: by OFREP in bulk, or an SDK that does not count. */
  readonly lastFetched?: number;
}

/** For those who look for flags that nobody asks for any more. */
export interface LastAsked {
  /** Thrown ADOPTION_UNREACHABLE while the counts cannot be read: that says nothing about any flag. */
  lastAsked(environment: string): Promise<Asked>;
}
