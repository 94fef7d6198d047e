import { describe, expect, it } from '@jest/globals';
import { recordedSource } from '@tidegate/metrics-source/testing';
import fc from 'fast-check';
import { readsOf } from './reads.ts';
import { START, Watching } from './watching.memory.ts';

const A = 'http://a/metrics';
const OLD = 'http://old/metrics';
const fields = (
  metric: object = {},
  guard: object = { margin: '10%' },
  source: object = { scrape: [A] },
) => ({
  metrics: {
    errors: {
      type: 'ratio',
      source,
      bad: { metric: 'requests_total', where: { code: '500' } },
      total: { metric: 'requests_total' },
      canary: { where: { variant: 'new' } },
      baseline: { where: { variant: 'old' } },
      ...metric,
    },
  },
  guards: [{ name: 'worse', judge: 'sequential', metric: 'errors', ...guard }],
});
interface Arm {
  readonly good: number;
  readonly bad: number;
}
const arm = (variant: string, { good, bad }: Arm): string =>
  `requests_total{variant="${variant}",code="200"} ${good}\nrequests_total{variant="${variant}",code="500"} ${bad}\n`;
const both = (canary: Arm, baseline: Arm): string => arm('new', canary) + arm('old', baseline);
const ZERO = { good: 0, bad: 0 };

describe('a canary and its baseline', () => {
  it('are counted beside each other, with the errors that the margin allows the canary', async () => {
    const watching = new Watching(fields());
    await watching.check(0, { [A]: both(ZERO, ZERO) });
    await watching.check(5, { [A]: both({ good: 90, bad: 10 }, { good: 890, bad: 10 }) });
    // The canary has 100 of 1 000 requests: 0.1 · 1.1 / (0.1 · 1.1 + 0.9) of the 20 errors.
    const allowed = (20 * 0.11) / 1.01;
    expect(watching.counted('worse')).toEqual({
      bad: 10,
      total: 100,
      baseline: { bad: 10, total: 900, expected: expect.closeTo(allowed, 10) },
    });
  });

  it('have the share of each interval in what is expected, when the canary’s share changes', async () => {
    const watching = new Watching(fields({}, { margin: '0%' }));
    await watching.check(0, { [A]: both(ZERO, ZERO) });
    await watching.check(5, { [A]: both({ good: 99, bad: 1 }, { good: 891, bad: 9 }) });
    await watching.check(10, { [A]: both({ good: 594, bad: 6 }, { good: 1_386, bad: 14 }) });
    expect(watching.counted('worse')).toMatchObject({
      baseline: { expected: expect.closeTo(10 * 0.1 + 10 * 0.5, 10) },
    });
  });

  it('expect no error of a canary without requests, and all errors of one that is alone', async () => {
    const watching = new Watching(fields());
    await watching.check(0, { [A]: both(ZERO, ZERO) });
    await watching.check(5, { [A]: both(ZERO, { good: 90, bad: 10 }) });
    expect(watching.counted('worse')).toMatchObject({ baseline: { expected: 0 } });
    await watching.check(10, { [A]: both({ good: 5, bad: 5 }, { good: 90, bad: 10 }) });
    expect(watching.counted('worse')).toMatchObject({ bad: 5, baseline: { expected: 5 } });
  });

  it('wait for the next check where a scrape came between an error and its request, and lose nothing', async () => {
    const watching = new Watching(fields({ total: { metric: 'handled_total' } }, { margin: '0%' }));
    const handled = (canary: number, baseline: number) =>
      `handled_total{variant="new"} ${canary}\nhandled_total{variant="old"} ${baseline}\n`;
    await watching.check(0, { [A]: both(ZERO, ZERO) + handled(0, 0) });
    // Of the canary's failed requests none is counted as handled yet: it would have errors, and no share of the traffic.
    await watching.check(5, { [A]: both({ good: 0, bad: 3 }, ZERO) + handled(0, 97) });
    expect([watching.counted('worse'), watching.missing('worse')]).toEqual([undefined, null]);
    await watching.check(10, { [A]: both({ good: 0, bad: 3 }, ZERO) + handled(10, 190) });
    expect(watching.counted('worse')).toEqual({
      bad: 3,
      total: 10,
      baseline: { bad: 0, total: 190, expected: expect.closeTo(3 * 0.05, 10) },
    });
    expect(watching.evidence.coveredMs).toBe(10_000);
  });

  it('that never agree with their requests are missing data, with a sentence about it', async () => {
    const watching = new Watching(fields({ total: { metric: 'other_total' } }, { margin: '0%' }));
    const other = 'other_total{variant="new"} 0\nother_total{variant="old"} 0\n';
    for (const i of [0, 1, 2, 3, 4])
      await watching.check(i * 5, { [A]: both({ good: 0, bad: i * 3 }, ZERO) + other });
    expect(watching.facts('worse')).toMatchObject({
      since: [],
      missing: {
        kind: 'stale',
        detail: expect.stringMatching(/^12 bad ones of 0 requests since 2026-.*Z: other_total/),
      },
    });
  });

  it('of one Prometheus are counted over its interval, in which each of them is scraped', async () => {
    const source = { prometheus: { scrapeInterval: '15s' } };
    const watching = new Watching(fields({}, { margin: '0%' }, source));
    // The canary is scraped at 0, 15, 30 …, the baseline at 7, 22, 37 …; checks come every five seconds.
    const newest = (seconds: number, offset: number) =>
      Math.floor((seconds - offset) / 15) * 15 + offset;
    for (let seconds = 10; seconds <= 60; seconds += 5) {
      const [c, b] = [newest(seconds, 0), newest(seconds, 7)];
      const at = START + Math.max(c, b) * 1_000;
      const text = both({ good: c * 9, bad: c }, { good: b * 99, bad: b });
      const source = recordedSource();
      source.record('prometheus', 0, text);
      const readings = await source.read(readsOf(watching.plan, 'production'), at);
      watching.tell(readings, START + seconds * 1_000);
    }
    // Of what both had alike, 10 of 110 requests were the canary's: nothing was counted of one alone.
    expect(watching.counted('worse')).toEqual({
      bad: 45,
      total: 450,
      baseline: { bad: 45, total: 4_500, expected: expect.closeTo((90 * 450) / 4_950, 6) },
    });
  });

  it('are not said to be split wrongly by what was served before the step began', async () => {
    const watching = new Watching(fields({}, { judge: 'split' }), '');
    const at = (canary: number, baseline: number) =>
      both({ good: canary, bad: 0 }, { good: baseline, bad: 0 });
    await watching.check(0, { [A]: at(0, 0) });
    await watching.check(4, { [A]: at(0, 4_000) });
    watching.enter('canary');
    await watching.check(6, { [A]: at(100, 6_000) });
    expect(watching.counted('worse')).toBe(undefined);
    await watching.check(11, { [A]: at(600, 10_500) });
    expect(watching.counted('worse')).toBe(undefined);
    await watching.check(16, { [A]: at(1_100, 15_000) });
    expect(watching.counted('worse')).toMatchObject({ total: 500, baseline: { total: 4_500 } });
    expect(watching.missing('worse')).toBe(null);
  });

  it('are not compared over an interval in which the canary’s share changed', async () => {
    const watching = new Watching(fields(), '');
    await watching.check(0, { [A]: both(ZERO, ZERO) });
    // Four seconds with a tenth of the traffic and no error; then one with half of it, while both fail one time in five.
    watching.at = START + 4_000;
    watching.enter('canary');
    await watching.check(5, {
      [A]: both({ good: 400 + 400, bad: 100 }, { good: 4_000, bad: 100 }),
    });
    expect(watching.counted('worse')).toBe(undefined);
    await watching.check(10, { [A]: both({ good: 2_800, bad: 600 }, { good: 6_000, bad: 600 }) });
    expect(watching.counted('worse')).toMatchObject({
      bad: 500,
      total: 2_500,
      baseline: { bad: 500, total: 2_500 },
    });
    expect(watching.missing('worse')).toBe(null);
  });

  it('of one Prometheus are compared from the first scrape on that both had in the step', async () => {
    const watching = new Watching(
      fields({}, { margin: '10%' }, { prometheus: { scrapeInterval: '15s' } }),
      '',
    );
    const tell = async (seconds: number, canary: number, baseline: number) => {
      const source = recordedSource();
      source.record('prometheus', 0, both({ good: canary, bad: 0 }, { good: baseline, bad: 0 }));
      const at = START + seconds * 1_000;
      watching.at = at;
      watching.tell(await source.read(readsOf(watching.plan, 'production'), at), at);
    };
    await tell(0, 0, 0);
    await tell(7, 0, 700);
    watching.enter('canary');
    // The canary's scrapes at 15 and 30, the baseline's at 22 and 37: the first of both are of before and after.
    await tell(15, 800, 700);
    await tell(22, 800, 1_500);
    await tell(30, 2_300, 1_500);
    expect(watching.counted('worse')).toBe(undefined);
    await tell(37, 2_300, 3_000);
    expect(watching.counted('worse')).toMatchObject({ total: 1_500, baseline: { total: 1_500 } });
  });

  it('read in different places both wait while one of them cannot be read, and lose nothing', async () => {
    const baseline = { where: { variant: 'old' }, source: { scrape: [OLD] } };
    const watching = new Watching(fields({ baseline }));
    const at = (n: number) => ({ good: n * 90, bad: n * 10 });
    await watching.check(0, { [A]: arm('new', at(0)), [OLD]: arm('old', at(0)) });
    await watching.check(5, { [A]: arm('new', at(1)), [OLD]: 'timeout' });
    expect(watching.counted('worse')).toBe(undefined);
    expect(watching.missing('worse')).toBe('query-error');
    await watching.check(10, { [A]: 'unreachable', [OLD]: arm('old', at(2)) });
    await watching.check(15, { [A]: arm('new', at(3)), [OLD]: arm('old', at(3)) });
    expect(watching.missing('worse')).toBe(null);
    expect(watching.counted('worse')).toMatchObject({
      bad: 30,
      total: 300,
      baseline: { bad: 30, total: 300 },
    });
  });

  it('lack data while the baseline has no series, whatever the canary does', async () => {
    const watching = new Watching(fields());
    await watching.check(0, { [A]: arm('new', ZERO) });
    await watching.check(5, { [A]: arm('new', { good: 100, bad: 0 }) });
    expect(watching.facts('worse').missing).toMatchObject({
      kind: 'empty',
      detail: 'no target has a series of requests_total{variant="old"}.',
    });
  });

  it('are not compared once everybody has the new version: the old one may be gone', async () => {
    const watching = new Watching(fields({}, { limit: '1%', margin: '10%' }), 'all');
    await watching.check(0, { [A]: arm('new', ZERO) });
    await watching.check(5, { [A]: arm('new', { good: 100, bad: 1 }) });
    expect(watching.missing('worse')).toBe(null);
    expect(watching.counted('worse')).toEqual({ bad: 1, total: 101 });
  });

  it('are one, counted as a whole, where it is asked whether all is well again', async () => {
    const watching = new Watching(fields({}, { limit: '1%', margin: '10%' }), '(recovery)', {
      overall: true,
    });
    await watching.check(0, { [A]: both(ZERO, ZERO) });
    await watching.check(5, { [A]: both({ good: 10, bad: 1 }, { good: 90, bad: 9 }) });
    expect(watching.counted('worse')).toEqual({ bad: 10, total: 110 });
  });

  it('are counted for a split by their requests, and for a limit alone without the baseline', async () => {
    const split = new Watching(fields({}, { judge: 'split' }));
    await split.check(5, { [A]: both(ZERO, ZERO) });
    const limit = new Watching(fields({}, { limit: '1%' }));
    for (const watching of [split, limit]) {
      await watching.check(10, { [A]: both(ZERO, ZERO) });
      await watching.check(15, { [A]: both({ good: 10, bad: 1 }, { good: 90, bad: 9 }) });
    }
    expect(split.counted('worse')).toMatchObject({ total: 11, baseline: { total: 99 } });
    expect(limit.counted('worse')).toEqual({ bad: 1, total: 11 });
  });

  it('come to all that happened, whichever of their targets fail in between', async () => {
    const baseline = { where: { variant: 'old' }, source: { scrape: [OLD] } };
    const arms = fc.record({ canary: fc.boolean(), baseline: fc.boolean() });
    const rises = fc.record({ c: fc.nat(30), cBad: fc.nat(5), b: fc.nat(90), bBad: fc.nat(5) });
    const checks = fc.array(fc.tuple(arms, rises), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(checks, async (checks) => {
        const watching = new Watching(fields({ baseline }));
        const now = { c: { good: 0, bad: 0 }, b: { good: 0, bad: 0 } };
        const answers = (up = { canary: true, baseline: true }) => ({
          [A]: up.canary ? arm('new', now.c) : 'timeout',
          [OLD]: up.baseline ? arm('old', now.b) : 'timeout',
        });
        await watching.check(0, answers());
        for (const [i, [up, { c, cBad, b, bBad }]] of checks.entries()) {
          now.c = { good: now.c.good + c, bad: now.c.bad + cBad };
          now.b = { good: now.b.good + b, bad: now.b.bad + bBad };
          await watching.check(5 * (i + 1), answers(up));
        }
        await watching.check(5 * (checks.length + 1), answers());
        const { c, b } = now;
        if (c.good + c.bad + b.good + b.bad === 0) return;
        expect(watching.counted('worse')).toMatchObject({
          bad: c.bad,
          total: c.good + c.bad,
          baseline: { bad: b.bad, total: b.good + b.bad },
        });
      }),
      { numRuns: 60 },
    );
  });
});
