import { describe, expect, it } from '@jest/globals';
import { assess } from './assess.ts';
import { both, counted, critical, fresh, sampled, slow, split } from './policies.memory.ts';
import type { LivenessPolicy } from './policy.ts';

const unread = {
  kind: 'query-error',
  targets: 1,
  detail: 'http://a/metrics answered 503.',
} as const;

describe('an immediate guard', () => {
  it('breaches beyond its limit and not at it', () => {
    expect(assess(critical, { ...fresh, value: 2 })).toMatchObject({
      outcome: 'pass',
      reason: 'count-within-limit',
      logE: null,
      threshold: null,
      evidence: { count: 2, above: 2, ageMs: 5_000, maxAgeMs: 15_000 },
      message: 'critical-errors: 2 counted, at most 2 allowed.',
    });
    expect(assess(critical, { ...fresh, value: 3 })).toMatchObject({
      outcome: 'breach',
      reason: 'count-too-high',
      message: 'critical-errors: 3 counted, at most 2 allowed.',
    });
  });

  it('breaches below a value, and not at it', () => {
    const healthy = { ...critical, kind: 'promql', above: null, below: 1 } as const;
    expect(assess(healthy, { ...fresh, value: 1 }).reason).toBe('value-within-limit');
    expect(assess(healthy, { ...fresh, value: 0.5 })).toMatchObject({
      outcome: 'breach',
      reason: 'value-too-low',
      message: 'critical-errors: 0.5, at least 1 needed.',
    });
    const memory = { ...critical, kind: 'value', above: 5 } as const;
    expect(assess(memory, { ...fresh, value: 5.1 }).reason).toBe('value-too-high');
  });

  it('holds while data are missing, unless what is counted is too much already', () => {
    expect(assess(critical, { ...fresh, value: 0, missing: unread })).toMatchObject({
      outcome: 'hold',
      reason: 'query-error',
      message: 'critical-errors: http://a/metrics answered 503. 0 counted, at most 2 allowed.',
    });
    expect(assess(critical, { ...fresh, value: 3, missing: unread }).outcome).toBe('breach');
    expect(assess(critical, { ...fresh, value: null }).reason).toBe('no-value');
    expect(assess(critical, { value: 0, missing: null, ageMs: null }).reason).toBe('not-read');
    expect(assess(critical, { value: 0, missing: null, ageMs: 15_001 }).reason).toBe('stale');
  });
});

describe('a sustained guard', () => {
  // Ten steps of five seconds, eight of which must be there.
  const [bad, good] = [0.6, 0.4];
  const all = (value: number | null) => Array.from({ length: 10 }, () => value);
  const at = (
    values: readonly (number | null)[],
    ...places: readonly (readonly [number, number | null])[]
  ) =>
    sampled(
      ...values.map(
        (value, i) =>
          places.find(([place]) => place === i)?.[1] ??
          (places.some(([place]) => place === i) ? null : value),
      ),
    );

  it('breaches when every sample of its time is beyond the threshold', () => {
    expect(assess(slow, sampled(...all(bad)))).toMatchObject({
      outcome: 'breach',
      reason: 'too-high-for-too-long',
      message: 'slow: 0.6 now, at most 0.5 allowed; beyond it in 10 of 10 samples of the last 50s.',
    });
    const low = { ...slow, above: null, below: 0.5 };
    expect(assess(low, sampled(...all(good))).reason).toBe('too-low-for-too-long');
  });

  it('is not broken at the threshold, nor by one good sample', () => {
    expect(assess(slow, sampled(...all(0.5))).outcome).toBe('pass');
    expect(assess(slow, at(all(bad), [4, good]))).toMatchObject({
      outcome: 'hold',
      reason: 'beyond-threshold',
      message:
        'slow: beyond its threshold, not yet for 50s. 0.6 now, at most 0.5 allowed; beyond it in 9 of 10 samples of the last 50s.',
    });
    expect(assess(slow, at(all(bad), [9, good])).outcome).toBe('pass');
  });

  it('needs exactly so many samples', () => {
    expect(assess(slow, at(all(bad), [3, null], [5, null])).outcome).toBe('breach');
    expect(assess(slow, at(all(bad), [3, null], [5, null], [6, null])).outcome).toBe('hold');
    expect(assess(slow, at(all(good), [3, null], [5, null], [6, null]))).toMatchObject({
      reason: 'too-few-samples',
      message: expect.stringContaining(
        '7 of the 10 samples of 50s are there, needs 8 from its beginning to its end.',
      ),
    });
  });

  it('is neither reset nor faked by a gap at either end', () => {
    expect(assess(slow, at(all(bad), [0, null], [9, null])).outcome).toBe('breach');
    expect(assess(slow, at(all(bad), [0, null], [1, null])).outcome).toBe('hold');
    expect(assess(slow, at(all(bad), [8, null], [9, null])).outcome).toBe('hold');
  });

  it('holds while data are missing, unless it is broken already', () => {
    expect(assess(slow, { ...sampled(...all(good)), missing: unread }).reason).toBe('query-error');
    expect(assess(slow, { ...sampled(...all(bad)), missing: unread }).outcome).toBe('breach');
    expect(assess(slow, sampled(...all(null))).reason).toBe('too-few-samples');
    expect(assess(slow, fresh).reason).toBe('too-few-samples');
  });

  it('says shares as shares', () => {
    const share = { ...slow, kind: 'ratio', above: 0.05 } as const;
    expect(assess(share, sampled(...all(0.0612))).message).toContain(
      '6.12 % now, at most 5 % allowed',
    );
  });
});

describe('a split guard', () => {
  it('never breaches: a wrong split holds', () => {
    expect(assess(split, both([0, 1_500], [0, 9_000]))).toMatchObject({
      outcome: 'hold',
      reason: 'sample-ratio-mismatch',
      message: expect.stringMatching(
        /^split: canary and baseline do not get the traffic .* The canary got 1 500 of 10 500 \(14 %\), should get 10 %; evidence 1:/,
      ),
    });
  });

  it('passes while the split is as planned', () => {
    expect(assess(split, both([0, 1_010], [0, 8_990]))).toMatchObject({
      outcome: 'pass',
      reason: 'split-as-planned',
      message: expect.stringContaining('no evidence of a mismatch'),
    });
    expect(assess(split, both([0, 0], [0, 0])).reason).toBe('no-requests');
  });

  it('tells a baseline without traffic from one that was not counted', () => {
    expect(assess(split, both([0, 1_500], [0, 0])).reason).toBe('sample-ratio-mismatch');
    expect(assess(split, counted(0, 1_500)).reason).toBe('no-baseline-requests');
  });

  it('counts what happened in either arm, where it is of a count', () => {
    const events = { ...split, kind: 'count' } as const;
    expect(assess(events, both([500, 0], [500, 0])).reason).toBe('sample-ratio-mismatch');
  });

  it('has nothing to say once everybody has the new version', () => {
    expect(assess({ ...split, everyone: true }, both([0, 1_500], [0, 0])).outcome).toBe('pass');
  });
});

describe('the guard that every plan has', () => {
  const liveness: LivenessPolicy = {
    guard: 'liveness',
    judge: 'liveness',
    shadow: false,
    maxAgeMs: 15_000,
    restarts: 3,
    withinMs: 600_000,
  };
  const seen = (vanished: number, restarts: number, detail = '') =>
    assess(liveness, { ...fresh, liveness: { vanished, restarts, detail } });

  it('breaches when an instance of the canary is gone', () => {
    expect(seen(1, 0, '10.0.0.7:80 was there, and is missing in 3 checks in a row.')).toMatchObject(
      {
        outcome: 'breach',
        reason: 'canary-vanished',
        message:
          'liveness: 10.0.0.7:80 was there, and is missing in 3 checks in a row. 1 of the canary’s instances vanished, 0 restarts of one within 10m, 3 are too many.',
      },
    );
  });

  it('breaches at that many restarts of one instance, not before', () => {
    expect(seen(0, 2).reason).toBe('alive');
    expect(seen(0, 3)).toMatchObject({ outcome: 'breach', reason: 'canary-restarts' });
  });
});

it('a guard in shadow says so, whatever it finds', () => {
  expect(assess({ ...critical, shadow: true }, { ...fresh, value: 9 })).toMatchObject({
    outcome: 'breach',
    shadow: true,
  });
  expect(assess(critical, counted(0, 0, { value: 0 })).shadow).toBeUndefined();
});
