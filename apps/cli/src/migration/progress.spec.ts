import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Going, progressLine, progressLines } from './progress.ts';

const NOW = 1_000_000;
const run: Going = {
  run: 'm-7',
  migration: 'order-totals',
  action: 'execute',
  status: 'running',
  startedAt: NOW - 61_000,
  counts: { matched: 84_200 },
  progress: { done: 84_200, expected: 200_000, share: 0.421, perSecond: 12_400.4, leftMs: 9_338 },
};
const lines = (given: Partial<Going> = {}, columns = 100): readonly string[] =>
  stripVTControlCharacters(progressLines({ ...run, ...given }, NOW, columns)).split('\n');

describe('the progress of a run', () => {
  it('shows how far it is, how fast, and how long it will take', () => {
    expect(lines()).toEqual([
      'order-totals execute  running  m-7  1m1s',
      '████████████████▊░░░░░░░░░░░░░░░░░░░░░░░  42.1 %   84 200 of 200 000   12 400/s   9s left',
    ]);
  });

  it('says what it waits for, and for how long it has', () => {
    const throttled = {
      because: 'replication-lag',
      message: 'A replica is 12s behind; at most 5s are allowed.',
      since: NOW - 14_000,
    };
    expect(lines({ throttled })).toEqual([
      'order-totals execute  throttled  m-7  1m1s',
      expect.stringContaining('42.1 %'),
      'waiting 14s: A replica is 12s behind; at most 5s are allowed.',
    ]);
    expect(lines({ status: 'paused', throttled, by: 'alex', reason: 'disk' }).at(-1)).toBe(
      'paused by alex: disk',
    );
  });

  it('says that it takes back what it did, and why', () => {
    const reverting = { message: '2 of 50 samples break total-is-sum.' };
    expect(lines({ reverting })).toEqual([
      'order-totals execute  reverting  m-7  1m1s',
      expect.stringContaining('42.1 %'),
      'takes back what it did: 2 of 50 samples break total-is-sum.',
    ]);
  });

  it('has no bar where it is not known how much there is to do', () => {
    expect(lines({ progress: { done: 84_200, perSecond: 12_400 } })[1]).toBe(
      '84 200 done   12 400/s',
    );
    const { progress: _progress, ...plan } = run;
    expect(stripVTControlCharacters(progressLines({ ...plan, action: 'plan' }, NOW, 80))).toBe(
      'order-totals plan  running  m-7  1m1s',
    );
  });

  it('is a line for a log', () => {
    expect(progressLine(run)).toBe('m-7  42.1 %  84 200 of 200 000  12 400/s  9s left');
  });

  it('counts what failed', () => {
    expect(lines({ counts: { matched: 84_200, failed: 3 } })[1]).toMatch(/3 failed$/);
  });

  it('shows 100.0 % and a full bar only when all is done', () => {
    const almost = { done: 199_999, expected: 200_000, share: 199_999 / 200_000 };
    expect(lines({ progress: almost })[1]).toMatch(/▉  99\.9 %/);
    expect(lines({ progress: { done: 200_000, expected: 200_000, share: 1, leftMs: 0 } })[1]).toBe(
      `${'█'.repeat(40)}  100.0 %   200 000 of 200 000`,
    );
  });

  it('has a bar of the same width whatever the share, and cuts what is too long', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 50, max: 200 }),
        (share, columns) => {
          const throttled = { message: 'x'.repeat(300), since: NOW };
          const drawn = lines({ progress: { done: 1, expected: 2, share }, throttled }, columns);
          const bar = drawn[1]?.split('  ')[0] ?? '';
          expect(bar.length).toBeGreaterThanOrEqual(10);
          expect(bar.length).toBeLessThanOrEqual(40);
          expect(Math.max(...drawn.slice(1).map((line) => line.length))).toBeLessThanOrEqual(
            columns,
          );
        },
      ),
    );
  });

  it('does not let a message steer the terminal', () => {
    const throttled = { message: 'a\u001b[2Jb', since: NOW };
    expect(progressLines({ ...run, throttled }, NOW, 100)).not.toContain('\u001b[2J');
  });
});
