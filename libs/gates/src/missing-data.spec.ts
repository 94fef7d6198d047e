import { describe, expect, it } from '@jest/globals';
import { assess } from './assess.ts';
import { missingKinds } from './counters.ts';
import type { Facts } from './facts.ts';
import {
  both,
  compared,
  counted,
  critical,
  errorRate,
  fresh,
  sampled,
  slow,
  split,
} from './policies.memory.ts';
import type { Policy } from './policy.ts';
import { classOf, isMissingData } from './reasons.ts';

const recorded = { bad: 100, total: 100_000 };
const ten = Array.from({ length: 10 });
const against = { ...compared, baseline: 'recorded' } as const;
const recovery = { ...errorRate, judge: 'recovery', of: { ...errorRate, everyone: true } } as const;

/** Every judge with facts on which it would pass, and with some that are a breach; null where it has none. */
const JUDGES: Readonly<Record<string, readonly [Policy, good: Facts, bad: Facts | null]>> = {
  limit: [errorRate, counted(0, 100_000), counted(63, 1_204)],
  'limit, proven good': [
    { ...errorRate, gate: 'proven-good' },
    counted(0, 100_000),
    counted(63, 1_204),
  ],
  'limit, nothing asked': [{ ...errorRate, gate: 'none' }, counted(0, 1), counted(63, 1_204)],
  'another version': [
    { ...compared, gate: 'not-proven-bad' },
    both([100, 10_000], [900, 90_000]),
    both([40, 1_000], [90, 9_000]),
  ],
  'what was recorded': [
    { ...against, gate: 'not-proven-bad' },
    counted(4, 40_000, { recorded }),
    counted(40, 4_000, { recorded }),
  ],
  everybody: [{ ...compared, everyone: true }, counted(0, 100), null],
  sustained: [slow, sampled(...ten.map(() => 0.4)), sampled(...ten.map(() => 0.6))],
  immediate: [critical, { ...fresh, value: 0 }, { ...fresh, value: 3 }],
  split: [split, both([0, 1_000], [0, 9_000]), null],
  recovery: [recovery, counted(0, 100_000), null],
};
const LACKS: readonly (readonly [string, Partial<Facts>])[] = [
  ...missingKinds.map(
    (kind) => [kind, { missing: { kind, targets: 1, detail: `it is ${kind}.` } }] as const,
  ),
  ['not-read', { ageMs: null }],
  ['stale', { ageMs: 15_001 }],
];

describe.each(Object.entries(JUDGES))('judged by %s', (_name, [policy, good, bad]) => {
  it('passes while the data are there', () => {
    expect(assess(policy, good).outcome).toBe('pass');
    expect(assess(policy, { ...good, ageMs: 15_000 }).outcome).toBe('pass');
  });

  it.each(LACKS)('holds, and says so, with data that are missing: %s', (kind, lack) => {
    const verdict = assess(policy, { ...good, ...lack });
    expect(verdict).toMatchObject({ outcome: 'hold', reason: kind });
    expect(isMissingData(verdict.reason)).toBe(true);
  });

  it.each(LACKS)('stays broken where that is proven, whatever is missing: %s', (_kind, lack) => {
    if (bad) expect(assess(policy, { ...bad, ...lack }).outcome).toBe('breach');
    else expect(assess(policy, { ...good, ...lack }).outcome).not.toBe('breach');
  });
});

describe('no requests', () => {
  it.each(Object.entries(JUDGES))('are no good news, judged by %s', (name, [policy]) => {
    const nothing = { ...counted(0, 0), recorded };
    const { outcome, reason } = assess(policy, nothing);
    // Nobody is served after a rollback, or there is nothing left to compare: that is what is wanted.
    if (name === 'recovery' || name === 'everybody') expect(outcome).toBe('pass');
    else {
      expect(outcome).toBe('hold');
      expect(['unseen', 'missing']).toContain(classOf(reason));
    }
  });
});

it('counts that contradict each other are no data', () => {
  const verdict = assess(errorRate, counted(5, 3));
  expect(verdict).toMatchObject({
    reason: 'more-errors-than-requests',
    logE: null,
    message: 'error-rate: the counts contradict each other. 5 of 3 requests failed, limit 1 %.',
  });
  expect(isMissingData(verdict.reason)).toBe(true);
});

it('an age is told so that it cannot be mistaken for what is allowed', () => {
  const strict = { ...errorRate, maxAgeMs: 600 };
  const { message } = assess(strict, counted(0, 0, { ageMs: 720 }));
  expect(message).toContain('nothing new for 0.7 s, at most 0.6 s.');
});
