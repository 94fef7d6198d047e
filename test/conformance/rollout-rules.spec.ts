import { describe, expect, it } from '@jest/globals';
import { Draws } from '../bench/gates.random.ts';
import { alert, argo, flagger, type Rival } from '../bench/gates.rivals.ts';
import { seenBy } from '../bench/gates.seen.ts';
import type { Unread } from '../bench/gates.models.ts';
import type { Trace } from '../bench/gates.traffic.ts';

/** What Flagger, Argo Rollouts and Prometheus do by their documentation and code: the bench sets Tidegate beside them. */
const LIMIT = 0.01;
const INTERVAL = 10_000;
const MINUTE = 60_000;
const PER_MINUTE = 6;
const REQUESTS = 100;

type Minute = 'good' | 'bad' | 'idle' | Exclude<Unread, 'read'>;
/** Minutes of traffic, read every 10 s. */
function trace(minutes: readonly Minute[]): Trace {
  const intervals = minutes.length * PER_MINUTE;
  const counterOfRequests = new Float64Array(intervals);
  const counterOfBad = new Float64Array(intervals);
  let [requests, bad] = [0, 0];
  for (let i = 0; i < intervals; i += 1) {
    const minute = minutes[Math.floor(i / PER_MINUTE)];
    requests += minute === 'idle' ? 0 : REQUESTS;
    bad += minute === 'bad' ? 0.5 * REQUESTS : 0;
    counterOfRequests[i] = requests;
    counterOfBad[i] = bad;
  }
  const unread = Array.from({ length: intervals }, (_, i): Unread => {
    const minute = minutes[Math.floor(i / PER_MINUTE)];
    return minute === 'gap' || minute === 'outage' ? minute : 'read';
  });
  const arm = { requests: counterOfRequests, counterOfRequests, counterOfBad };
  return { intervalMs: INTERVAL, canary: [arm], baseline: [], unread };
}

const minutes = (count: number, minute: Minute): Minute[] => Array(count).fill(minute) as Minute[];

/** The minute at whose end it rolls back; Infinity if it does not. */
function rollsBack(rival: Rival, step: number, happened: readonly Minute[]): number {
  const setting = { everyMs: MINUTE, windowMs: MINUTE, times: 1 };
  const until = happened.length * PER_MINUTE;
  const at = rival.decide(seenBy(trace(happened)), until, [LIMIT], setting);
  return (Number(at[rival.ladder.indexOf(step)]) + 1) / PER_MINUTE;
}

describe('Flagger', () => {
  it('rolls back in the tick after the one that makes its threshold full', () => {
    expect(rollsBack(flagger, 3, minutes(5, 'bad'))).toBe(4);
  });

  it('never takes failed checks back', () => {
    expect(rollsBack(flagger, 2, ['bad', ...minutes(9, 'good'), 'bad', 'good'])).toBe(12);
  });

  it.each(['idle', 'gap', 'outage'] as const)('fails a check without a value: %s', (minute) => {
    expect(rollsBack(flagger, 2, ['good', minute, minute, 'good'])).toBe(4);
  });

  it('stays where its checks are good', () => {
    expect(rollsBack(flagger, 1, minutes(30, 'good'))).toBe(Infinity);
  });
});

describe('Argo Rollouts', () => {
  it('aborts at one failure more than its failureLimit', () => {
    expect(rollsBack(argo, 3, minutes(6, 'bad'))).toBe(4);
    expect(rollsBack(argo, 0, ['good', 'bad'])).toBe(2);
  });

  it('counts NaN as a failure', () => {
    expect(rollsBack(argo, 0, ['good', 'idle', 'good'])).toBe(2);
  });

  it('tries errors again after 10 s and aborts at the fifth in a row', () => {
    expect(rollsBack(argo, 3, ['good', ...minutes(2, 'outage'), 'good'])).toBeCloseTo(2 + 4 / 6);
  });

  it('forgets errors at the first measurement that works', () => {
    expect(rollsBack(argo, 3, ['good', 'outage', ...minutes(5, 'good')])).toBe(Infinity);
  });
});

describe('a Prometheus alert', () => {
  it('fires at the first evaluation at which it has been true for its time', () => {
    expect(rollsBack(alert, 300, minutes(8, 'bad'))).toBe(6);
    expect(rollsBack(alert, 0, ['good', 'bad'])).toBe(2);
  });

  it.each(['good', 'idle', 'gap'] as const)('begins anew after one evaluation: %s', (minute) => {
    const happened = [...minutes(4, 'bad'), minute, ...minutes(6, 'bad')];
    expect(rollsBack(alert, 300, happened)).toBe(11);
  });

  it('keeps its state while Prometheus is away, and its time goes on', () => {
    const happened = [...minutes(2, 'bad'), ...minutes(5, 'outage'), ...minutes(2, 'bad')];
    expect(rollsBack(alert, 300, happened)).toBe(8);
  });
});

it.each([
  [5_000, 0.01],
  [400, 0.4],
  [1_000_000, 0.0005],
  [300, 0.9],
])('draws of %d with probability %d have their mean and variance', (trials, probability) => {
  const draws = new Draws(7);
  const drawn = Array.from({ length: 20_000 }, () => draws.binomial(trials, probability));
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
  const expected = trials * probability * (1 - probability);
  expect(Math.abs(mean - trials * probability)).toBeLessThan(4 * Math.sqrt(expected / 20_000));
  expect(Math.abs(variance / expected - 1)).toBeLessThan(0.05);
});
