import type { SharedCount } from './allowance.ts';

/** Counts that all replicas of a service add to. No request waits for them. */
export interface SharedCounts {
  /** Adds to a count, which starts from 0 again a window after its first. Rejects, soon, when it cannot be reached. */
  add(name: string, points: number): Promise<SharedCount>;
  /** False from when something failed until something works again. */
  isUp(): boolean;
}
