import type { FaultPoint, Faults } from './faults.port.ts';

/** What a process that was killed leaves in the hands of a spec. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/** Kills the process when it comes to the point for the nth time: from then on it dies at every point. */
export function crashAt(point: FaultPoint, nth = 1): Faults & { readonly crashed: boolean } {
  let seen = 0;
  return {
    get crashed() {
      return seen >= nth;
    },
    at(reached) {
      if (reached === point) seen += 1;
      if (seen >= nth) throw new Crash(`crashed at ${point}`);
    },
  };
}
