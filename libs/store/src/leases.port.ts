export interface Leases {
  /** Takes or renews a lease and returns its fencing token; `undefined` while another holds it. Tokens only grow. */
  claim(name: string, holder: string, forMs: number): Promise<number | undefined>;
  /** Safe to repeat, also for a lease that is lost or was never held. */
  release(name: string, holder: string): Promise<void>;
}
