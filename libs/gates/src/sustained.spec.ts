import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { noSamples, samplesAt, withCounts, withGap, withValue } from './samples.ts';
import { type Answers, Watching } from './watching.memory.ts';

const A = 'http://a/metrics';
const source = { scrape: [A] };
const fields = (guard: object = {}) => ({
  metrics: {
    errors: {
      type: 'ratio',
      source,
      bad: { metric: 'bad_total' },
      total: { metric: 'all_total' },
    },
    restarts: { type: 'rate', source, count: { metric: 'bad_total' }, per: '1m' },
    queue: { type: 'value', source, gauge: { metric: 'queue' }, of: 'max' },
  },
  guards: [{ name: 'g', judge: 'sustained', metric: 'errors', above: '5%', for: '20s', ...guard }],
});
const counters = (bad: number, all: number): Answers => ({
  [A]: `bad_total ${bad}\nall_total ${all}\n`,
});
const samples = (watching: Watching) => watching.facts('g').samples;
const values = (watching: Watching) => samples(watching)?.map(([, value]) => value);

describe('what a sustained guard has seen', () => {
  it('is one sample per step, by the age of the step’s end', async () => {
    const watching = new Watching(fields());
    for (const i of [0, 1, 2, 3, 4]) await watching.check(i * 5, counters(i * i, i * 10));
    expect(samples(watching)).toEqual([
      [15_000, 1 / 10],
      [10_000, 3 / 10],
      [5_000, 5 / 10],
      [0, 7 / 10],
    ]);
  });

  it('has no value where there was no request, and none before the step began', async () => {
    const watching = new Watching(fields());
    for (const [i, bad, all] of [
      [0, 0, 0],
      [1, 1, 10],
      [2, 1, 10],
    ] as const)
      await watching.check(i * 5, counters(bad, all));
    expect(values(watching)).toEqual([null, null, 0.1, null]);
  });

  it('is not of a time still to come once the clock was set back: it begins anew', async () => {
    const watching = new Watching(fields());
    for (const i of [0, 1, 2, 3, 4]) await watching.check(i * 5, counters(0, i * 10));
    expect(values(watching)).toEqual([0, 0, 0, 0]);
    const back = -3_600;
    await watching.check(back, counters(0, 50));
    expect(values(watching)).toEqual([null, null, null, null]);
    for (const i of [1, 2, 3, 4]) await watching.check(back + i * 5, counters(i * 5, 50 + i * 10));
    expect(samples(watching)).toEqual([
      [15_000, 0.5],
      [10_000, 0.5],
      [5_000, 0.5],
      [0, 0.5],
    ]);
  });

  it('begins anew also where it is read and not counted', async () => {
    const watching = new Watching(fields({ metric: 'queue', step: '5s' }));
    for (const i of [0, 1, 2, 3, 4]) await watching.check(i * 5, { [A]: 'queue 0\n' });
    for (const i of [0, 1, 2, 3, 4]) await watching.check(i * 5 - 3_600, { [A]: 'queue 9\n' });
    expect(values(watching)).toEqual([9, 9, 9, 9]);
  });

  it('of a rate is events in its own time, also none', async () => {
    const watching = new Watching(fields({ metric: 'restarts', above: 10 }));
    for (const [i, bad] of [0, 0, 1, 1, 3].entries())
      await watching.check(i * 5, { [A]: `bad_total ${bad}\n` });
    expect(values(watching)).toEqual([0, 12, 0, 24]);
  });

  it('of a gauge is the newest value of each step', async () => {
    const watching = new Watching(fields({ metric: 'queue', step: '10s' }));
    for (const [i, value] of [1, 2, 3, 4, 5].entries())
      await watching.check(i * 5, { [A]: `queue ${value}\nqueue{shard="2"} 0\n` });
    expect(samples(watching)).toEqual([
      [10_000, 2],
      [0, 4],
    ]);
  });

  it('is not faked by a gap: what was counted in it was counted at no known time', async () => {
    const watching = new Watching(fields());
    for (const i of [0, 1, 2]) await watching.check(i * 5, counters(0, i * 10));
    await watching.check(60, counters(500, 520));
    expect(values(watching)).toEqual([null, null, null, null]);
    await watching.check(65, counters(501, 530));
    expect(values(watching)).toEqual([null, null, null, 0.1]);
  });

  it('is not reset by a gap either: what was seen before stays, until it is too old', async () => {
    const watching = new Watching(fields({ for: '30s' }));
    for (const i of [0, 1, 2, 3]) await watching.check(i * 5, counters(i * 2, i * 10));
    await watching.check(20, { [A]: 'timeout' });
    await watching.check(35, counters(14, 70));
    expect(values(watching)).toEqual([0.2, 0.2, null, null, null, null]);
  });

  it('bridges one failed check: what is counted at the next belongs to both', async () => {
    const watching = new Watching(fields());
    await watching.check(0, counters(0, 0));
    await watching.check(5, counters(2, 10));
    await watching.check(10, { [A]: 'timeout' });
    await watching.check(15, counters(6, 30));
    await watching.check(20, counters(8, 40));
    expect(values(watching)).toEqual([0.2, 0.2, 0.2, 0.2]);
  });

  it('goes on in the next step: a condition that lasts is not over because more people see it', async () => {
    const watching = new Watching(fields());
    for (const i of [0, 1, 2]) await watching.check(i * 5, counters(i * 2, i * 10));
    watching.enter('all');
    for (const i of [3, 4]) await watching.check(i * 5, counters(i * 2, i * 10));
    expect(values(watching)).toEqual([0.2, 0.2, 0.2, 0.2]);
  });

  it('does not go on from the time before the first step: then nothing was exposed', async () => {
    const watching = new Watching(fields(), '');
    for (const i of [0, 1, 2]) await watching.check(i * 5, counters(i * 2, i * 10));
    watching.enter('canary');
    for (const i of [3, 4]) await watching.check(i * 5, counters(i * 2, i * 10));
    expect(values(watching)).toEqual([null, null, 0.2, 0.2]);
  });

  it('loses no sample to checks that come a little early or late', async () => {
    const jitter = fc.array(fc.integer({ min: -900, max: 900 }), { minLength: 12, maxLength: 12 });
    const phase = fc.integer({ min: 0, max: 4_999 });
    await fc.assert(
      fc.asyncProperty(jitter, phase, async (jitter, phase) => {
        const watching = new Watching(fields());
        for (const [i, late] of jitter.entries()) {
          const ms = i * 5_000 + phase + late;
          await watching.check(ms / 1_000, counters(ms / 10, ms));
        }
        for (const value of values(watching) ?? []) expect(value).toBeCloseTo(0.1, 6);
      }),
      { numRuns: 30 },
    );
  });
});

describe('samples', () => {
  const STEP = 5_000;
  const interval = fc.record({ ms: fc.integer({ min: 1, max: 15_000 }), isGap: fc.boolean() });

  it('never count the time of a gap as read', () => {
    fc.assert(
      fc.property(fc.array(interval, { minLength: 1, maxLength: 30 }), (intervals) => {
        let samples = noSamples({ stepMs: STEP, forMs: 3_600_000, scale: 1, gapMs: 3 * STEP }, 0);
        const read = new Map<number, number>();
        let at = 0;
        for (const { ms, isGap } of intervals) {
          const counts = { from: at, to: at + ms, bad: ms, total: ms, weight: 1 };
          samples = isGap ? withGap(samples, at + ms) : withCounts(samples, counts);
          for (const end = at + ms; at < end; at += 1)
            if (!isGap) read.set(Math.floor(at / STEP), (read.get(Math.floor(at / STEP)) ?? 0) + 1);
        }
        const all = samplesAt(samples, at);
        for (const [ageMs, value] of all) {
          const step = (at - ageMs) / STEP - 1;
          expect(value !== null).toBe((read.get(step) ?? 0) >= STEP / 2);
        }
      }),
    );
  });

  it('hold every count once, in whichever steps it lies', () => {
    const entry = fc.record({ ms: fc.integer({ min: 1, max: 15_000 }), bad: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), (entries) => {
        let samples = noSamples({ stepMs: STEP, forMs: 3_600_000, scale: 1, gapMs: 3 * STEP }, 0);
        let at = 0;
        for (const { ms, bad } of entries) {
          const counts = { from: at, to: at + ms, bad, total: 1, weight: 1 };
          samples = withCounts(samples, counts);
          at += ms;
        }
        const held = samples.kept.reduce((sum, [, bad]) => sum + bad, 0);
        expect(held).toBeCloseTo(
          entries.reduce((sum, { bad }) => sum + bad, 0),
          6,
        );
      }),
    );
  });

  it('are never more than are judged, and one that is read on', () => {
    let samples = noSamples({ stepMs: STEP, forMs: 60_000, scale: 1, gapMs: 3 * STEP }, 0);
    for (let at = 0; at < 1_000_000; at += 2_500)
      samples = withValue(samples, at === 0 ? null : at - 2_500, at, at);
    expect(samples.kept.length).toBeLessThanOrEqual(60_000 / STEP + 1);
  });
});
