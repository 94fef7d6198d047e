import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backOff } from './back-off.ts';

const settings = { firstRetryMs: 250, longestRetryMs: 10_000 };
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('doubles from half to all of the first wait, up to the longest', () => {
  expect([0, 1, 2, 3, 9].map((attempt) => backOff(attempt, 0, settings))).toEqual([
    125, 250, 500, 1_000, 5_000,
  ]);
});

it('never waits longer than the longest nor less than half the first, however often it failed', () => {
  fc.assert(
    fc.property(fc.nat({ max: 100_000 }), random, (attempt, r) => {
      const waitMs = backOff(attempt, r, settings);
      expect(waitMs).toBeGreaterThanOrEqual(settings.firstRetryMs / 2);
      expect(waitMs).toBeLessThanOrEqual(settings.longestRetryMs);
    }),
  );
});
