const SHRINKS = 'resumed, a stage took users out, since nobody had asked how far the flag was open';
const MOVED =
  'a stage was left at an exposure that was not its own, since its flag had been released';

/** Rollouts that once broke a promise, and what was wrong then: they are run first, for ever. */
export const knownSeeds: readonly (readonly [seed: number, what: string])[] = [
  [312, MOVED],
  [353, MOVED],
  [572, MOVED],
  [10_804, SHRINKS],
  [10_940, SHRINKS],
];
