/** Rollouts that once broke a promise, and what was wrong then: they are run first, for ever. */
export const knownSeeds: readonly (readonly [seed: number, what: string])[] = [];
