import { describe, expect, it } from '@jest/globals';
import type { Reading } from '@tidegate/metrics-source';
import { recordedSource } from '@tidegate/metrics-source/testing';
import fc from 'fast-check';
import { readsOf } from './reads.ts';
import { checkStage, openStage, type StageEvidence } from './stage-evidence.ts';
import { planWith, START, Watching } from './watching.memory.ts';

const A = 'http://a/metrics';
const B = 'http://b/metrics';
const errors = {
  type: 'ratio',
  source: { scrape: [A, B] },
  bad: { metric: 'bad_total' },
  total: { metric: 'all_total' },
};
const signal = { type: 'signal', signal: 'complaint', where: { severity: 'high' } };
const sequential = { name: 'g', judge: 'sequential', metric: 'errors', limit: '1%' };
const text = (bad: number, all: number): string => `bad_total ${bad}\nall_total ${all}\n`;

describe('the evidence of a step', () => {
  it('is about the guards that act: one in shadow keeps no time from being covered', async () => {
    const shadow = { ...sequential, name: 's', metric: 'lost', shadow: true };
    const lost = { ...errors, source: { scrape: ['http://lost/metrics'] } };
    const both = new Watching({ metrics: { errors, lost }, guards: [sequential, shadow] });
    for (const i of [0, 1, 2])
      await both.check(i * 5, { [A]: text(i, i * 10), [B]: text(i, i * 10) });
    expect(both.evidence.coveredMs).toBe(10_000);
    expect([both.missing('g'), both.missing('s')]).toEqual([null, 'query-error']);
  });

  it('counts nothing that a scrape from before has not seen yet, where it is told when to begin', async () => {
    const plan = {
      metrics: { errors: { ...errors, source: { scrape: [A] } } },
      guards: [sequential],
    };
    const after = { overall: true, countedFrom: START + 2_000 };
    const watching = new Watching(plan, '(recovery)', after);
    await watching.check(1, { [A]: text(5, 10) });
    await watching.check(6, { [A]: text(9, 14) });
    expect(watching.counted('g')).toBeUndefined();
    await watching.check(11, { [A]: text(9, 14) });
    await watching.check(16, { [A]: text(9, 20) });
    expect(watching.counted('g')).toMatchObject({ bad: 0, total: 6 });
  });

  it('counts the signals of the rollout’s environment', async () => {
    const guards = [{ name: 'g', judge: 'immediate', metric: 'signal', above: 0 }];
    const reported = new Watching({ metrics: { signal }, guards });
    const series = (n: number) =>
      `complaint{severity="high"} ${n}\ncomplaint{severity="low"} ${n * 10}\n`;
    expect(readsOf(reported.plan, 'production')).toMatchObject([{ target: 'signals:production' }]);
    await reported.check(0, { 'signals:production': '# TYPE complaint counter\n' });
    await reported.check(5, { 'signals:production': series(2) });
    expect([reported.facts('g').value, reported.missing('g')]).toEqual([2, null]);
  });

  it('does not depend on the order in which readings of a check come', async () => {
    const scrapes = fc.array(fc.tuple(fc.nat(5), fc.nat(50), fc.boolean(), fc.boolean()), {
      minLength: 1,
      maxLength: 10,
    });
    const plan = planWith({ metrics: { errors }, guards: [sequential] });
    await fc.assert(
      fc.asyncProperty(scrapes, async (scrapes) => {
        let [forth, back] = [openStage(plan, 'canary', START), openStage(plan, 'canary', START)];
        let [bad, all] = [0, 0];
        for (const [i, [moreBad, more, upA, upB]] of scrapes.entries()) {
          bad += moreBad;
          all += moreBad + more;
          const source = recordedSource();
          source.record(A, 0, upA ? text(bad, all) : 'timeout');
          source.record(B, 0, upB ? text(2 * bad, 2 * all) : 'timeout');
          const at = START + i * 5_000;
          const readings = await source.read(readsOf(plan, 'test'), at);
          forth = checkStage(plan, forth, readings, at);
          back = checkStage(plan, back, readings.toReversed(), at);
        }
        expect(back).toEqual(forth);
      }),
    );
  });

  it('covers only time between checks that succeeded, and never a gap', async () => {
    const check = fc.record({ ms: fc.integer({ min: 1, max: 40_000 }), up: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(check, { maxLength: 20 }), async (checks) => {
        const watching = new Watching({ metrics: { errors }, guards: [sequential] });
        let at = 0;
        let succeededAt: number | undefined;
        let covered = 0;
        for (const [i, { ms, up }] of checks.entries()) {
          at += ms;
          const answer = up ? text(i, i * 10) : 'timeout';
          await watching.check(at / 1_000, { [A]: answer, [B]: text(i, i * 10) });
          if (!up) continue;
          const elapsed = at - (succeededAt ?? at);
          if (elapsed <= 15_000) covered += elapsed;
          succeededAt = at;
        }
        expect(watching.evidence.coveredMs).toBe(covered);
      }),
      { numRuns: 60 },
    );
  });

  it('goes on in another process from what the first has saved, as if it were one', async () => {
    const fields = { metrics: { errors }, guards: [sequential] };
    const check = (watching: Watching, i: number) =>
      watching.check(i * 5, { [A]: text(i, i * 10), [B]: text(i * 2, i * 30) });
    const alone = new Watching(fields);
    const killed = new Watching(fields);
    const other = new Watching(fields);
    for (let i = 0; i < 4; i += 1) {
      await check(alone, i);
      await check(killed, i);
    }
    // The newest of its checks was lost with it.
    const saved = JSON.stringify(killed.evidence);
    await check(killed, 4);
    await check(alone, 4);
    other.evidence = JSON.parse(saved) as StageEvidence;
    await check(other, 5);
    await check(alone, 5);
    expect(other.counted('g')).toEqual(alone.counted('g'));
    expect(other.evidence.coveredMs).toBe(alone.evidence.coveredMs);
  });

  it('stays small through a month of checks', () => {
    const plan = planWith({
      checkEvery: '1h',
      metrics: {
        errors: { ...errors, canary: { where: { v: 'n' } }, baseline: { where: { v: 'o' } } },
      },
      guards: [
        { ...sequential, margin: '10%' },
        { name: 'h', judge: 'sustained', metric: 'errors', above: 0.1, for: '3h' },
        { name: 'i', judge: 'sequential', metric: 'errors', limit: '1%' },
      ],
    });
    let evidence = openStage(plan, 'canary', START);
    for (let i = 0; i < 720; i += 1) {
      const at = START + i * 3_600_000;
      evidence = checkStage(
        plan,
        evidence,
        [A, B].map((target) => reading(target, at, i)),
        at,
      );
    }
    // Three guards, two targets with two series each.
    expect(JSON.stringify(evidence).length).toBeLessThan(12_000);
  });
});

const reading = (target: string, at: number, n: number): Reading => ({
  outcome: 'taken',
  target,
  at,
  declared: ['bad_total', 'all_total'],
  samples: ['n', 'o'].flatMap((v) =>
    ['bad_total', 'all_total'].map((name) => {
      const series = `${name}{v="${v}"}`;
      return { name, labels: { v }, series, value: n * (name === 'bad_total' ? 1 : 100), at };
    }),
  ),
});
