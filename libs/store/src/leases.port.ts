/** Who may act now. `holder` is unique to a process; what is written under a lease carries the token. */
export interface Leases {
  /**
   * Takes or renews a lease and returns its fencing token; `undefined` while another holds it. Renewed in time it
   * keeps its token; taken, also by the one that let it run out, it gets a greater one. Tokens only grow, also
   * when the store's epoch was raised.
   */
  claim(name: string, holder: string, forMs: number): Promise<number | undefined>;
  /** Safe to repeat, also for a lease that is lost or was never held. */
  release(name: string, holder: string): Promise<void>;
}
