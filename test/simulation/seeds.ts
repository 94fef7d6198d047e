const SHRINKS = 'resumed, a stage took users out, since nobody had asked how far the flag was open';
const MOVED =
  'a stage was left at an exposure that was not its own, since its flag had been released';

const PAUSE = 'a pause that began while a check was reading counted as hold time';
const NOT_HELD = 'time in which another rollout held the flag, or nobody did, counted as hold time';

/** Rollouts that once broke a promise, and what was wrong then: they are run first, for ever. */
export const knownSeeds: readonly (readonly [seed: number, what: string])[] = [
  [119, NOT_HELD],
  [241, NOT_HELD],
  [312, MOVED],
  [353, MOVED],
  [572, MOVED],
  [667, NOT_HELD],
  [10_804, SHRINKS],
  [10_940, SHRINKS],
  [703_489, PAUSE],
];
