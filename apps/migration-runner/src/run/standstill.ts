import type { Key } from './run.ts';

/** What sweeps that changed something have left, one after the other. */
export interface Standstill {
  /** The fewest documents that any of them has left. */
  readonly least: number;
  /** Some that the last of them has left; where there are such, those that the one before it had left as well. */
  readonly keys: readonly Key[];
  /** How many in a row have left the same ones, and no fewer than before. */
  readonly sweeps: number;
}

export interface Swept {
  /** Pending documents, but for those that the run has listed. */
  readonly left: number;
  /** Some of them. */
  readonly some: readonly Key[];
  /** Of the keys that were known before: those that are left again. */
  readonly again: readonly Key[];
}

/** So many such sweeps are no chance. */
const SWEEPS = 5;

/**
 * A sweep goes over all that the one before it has left. So a key that is left again was changed and turned back, or was
 * edited each time that it was to be changed; what programs insert has other keys, at whatever rate they come. A single
 * document may be edited as often as that while the run gets on, so a sweep that leaves fewer than any before it is progress.
 */
export function standstillAfter(
  before: Standstill | undefined,
  { left, some, again }: Swept,
): Standstill {
  const isProgress = before === undefined || left < before.least || again.length === 0;
  return {
    least: Math.min(left, before?.least ?? left),
    keys: again.length === 0 ? some : again,
    sweeps: isProgress ? 1 : before.sweeps + 1,
  };
}

export const standsStill = ({ sweeps }: Standstill): boolean => sweeps >= SWEEPS;
