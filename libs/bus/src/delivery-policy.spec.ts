import { describe, expect, it } from '@jest/globals';
import { AppError } from '@tidegate/kernel';
import fc from 'fast-check';
import { afterFailure, defaultPolicy, killPolicy, spendsBudget } from './delivery-policy.ts';

const retryable = (code: string) => new AppError(code, 'Later.', { retryable: true });
const tries = (failed: number, counted = failed, random = 0) => ({ failed, counted, random });

describe('what becomes of a record that failed', () => {
  it('is tried again while its budget lasts', () => {
    const { retries } = defaultPolicy;
    const failure = retryable('STORE_VERSION_CONFLICT');
    expect(afterFailure(failure, tries(retries), defaultPolicy)).toMatchObject({ next: 'retry' });
    expect(afterFailure(failure, tries(retries + 1), defaultPolicy)).toEqual({
      next: 'dead-letter',
      reason: 'retries-spent',
      code: 'STORE_VERSION_CONFLICT',
      message: 'Later.',
    });
  });

  it.each(['STORE_UNREACHABLE', 'BUS_UNREACHABLE'])('is never given up for %s', (code) => {
    const failure = retryable(code);
    expect(spendsBudget(failure)).toBe(false);
    expect(afterFailure(failure, tries(10_000, 10_000), defaultPolicy)).toMatchObject({
      next: 'retry',
      code,
    });
  });

  it('is given up at once for what will not pass, known or not', () => {
    for (const [thrown, code] of [
      [new AppError('PLAN_BROKEN', 'It is.'), 'PLAN_BROKEN'],
      [new TypeError('x is not a function'), 'TypeError'],
      ['oh no', 'UNKNOWN'],
      [undefined, 'UNKNOWN'],
    ] as const)
      expect(afterFailure(thrown, tries(1), defaultPolicy)).toMatchObject({
        next: 'dead-letter',
        reason: 'failed',
        code,
      });
  });

  it('waits longer each time, by at least half of the doubled wait and never beyond the longest', () => {
    const failure = retryable('STORE_UNREACHABLE');
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failed, random) => {
          const next = afterFailure(failure, tries(failed, 0, random), defaultPolicy);
          const full = Math.min(
            defaultPolicy.longestRetryMs,
            defaultPolicy.firstRetryMs * 2 ** (failed - 1),
          );
          expect(next).toMatchObject({ next: 'retry' });
          if (next.next !== 'retry') return;
          expect(next.inMs).toBeGreaterThanOrEqual(Math.floor(full / 2));
          expect(next.inMs).toBeLessThanOrEqual(full);
        },
      ),
    );
  });

  it('makes kills wait less and tell sooner', () => {
    const kills = killPolicy(defaultPolicy);
    expect(kills.longestRetryMs).toBeLessThan(defaultPolicy.longestRetryMs);
    expect(kills.retries).toBeLessThan(defaultPolicy.retries);
    expect(kills.lagDeadlineMs).toBeLessThan(defaultPolicy.lagDeadlineMs);
  });
});
