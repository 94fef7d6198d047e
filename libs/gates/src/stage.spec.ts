import { describe, expect, it } from '@jest/globals';
import { plan as planSchema, type Plan, type StageStep } from '@tidegate/contracts';
import { type RecordedAnswer, recordedSource } from '@tidegate/metrics-source/testing';
import { pinRisk } from './risk.ts';
import { readsOf } from './reads.ts';
import { checkStage, missingForMs, openStage, type StageEvidence } from './stage-evidence.ts';
import { judgeStage, mayLeave } from './stage-verdict.ts';

const A = 'http://a/metrics';
const START = 1_790_000_000_000;
const source = { scrape: [A] };
const planOf = (more: object = {}): Plan =>
  planSchema.parse({
    plan: 'checkout',
    flag: 'checkout-v2',
    risk: '1%',
    checkEvery: '5s',
    metrics: {
      errors: {
        type: 'ratio',
        source,
        bad: { metric: 'requests_total', where: { code: '500' } },
        total: { metric: 'requests_total' },
      },
      critical: { type: 'count', source, count: { metric: 'critical_total' } },
    },
    guards: [
      { name: 'error-rate', judge: 'sequential', metric: 'errors', limit: '1%', detect: '6%' },
      { name: 'critical', judge: 'immediate', metric: 'critical' },
    ],
    steps: [
      { stage: 'canary', percentage: 10, hold: '20s' },
      { stage: 'half', percentage: 50, hold: '20s' },
    ],
    ...more,
  });
const stageOf = (plan: Plan, name: string): StageStep => {
  const step = plan.steps.find((each) => 'stage' in each && each.stage === name);
  if (!step || !('stage' in step)) throw new Error(`no stage ${name}`);
  return step;
};
const metrics = (good: number, bad: number, critical = 0): string =>
  `requests_total{code="200"} ${good}\nrequests_total{code="500"} ${bad}\ncritical_total ${critical}\n`;

/** The stage after these checks, at the instant of the last. */
async function run(
  plan: Plan,
  checks: readonly (readonly [seconds: number, answer: RecordedAnswer])[],
  from: StageEvidence = openStage(plan, 'canary', START),
) {
  let evidence = from;
  let at = from.openedAt;
  for (const [seconds, answer] of checks) {
    const recorded = recordedSource();
    recorded.record(A, 0, answer);
    at = START + seconds * 1_000;
    const readings = await recorded.read(readsOf(plan, 'test'), at);
    evidence = checkStage(plan, evidence, readings, at);
    expect(checkStage(plan, evidence, readings, at)).toEqual(evidence);
  }
  const verdicts = judgeStage(plan, pinRisk(plan), evidence, at);
  return {
    evidence,
    verdicts,
    leave: mayLeave(stageOf(plan, evidence.stage), evidence, verdicts, evidence.openedAt, at),
    at,
  };
}
/** A check every five seconds, 100 requests each. */
const healthy = (from: number, to: number) =>
  Array.from(
    { length: (to - from) / 5 + 1 },
    (_, i) => [from + i * 5, metrics((from + i * 5) * 20, 0)] as const,
  );

describe('a stage', () => {
  it('is left when its time is covered and there was enough traffic without a breach', async () => {
    const { leave, evidence } = await run(planOf(), healthy(5, 25));
    expect(evidence.coveredMs).toBe(20_000);
    expect(leave).toMatchObject({
      leave: true,
      verdicts: [
        { guard: 'error-rate', reason: 'error-rate-within-limit', evidence: { trials: 400 } },
        { guard: 'critical', reason: 'count-within-limit' },
      ],
    });
  });

  it('is not left before its time is covered', async () => {
    expect((await run(planOf(), healthy(5, 20))).leave).toMatchObject({
      leave: false,
      because: 'hold-time',
      message: 'canary: 15s of 20s covered by successful checks.',
    });
  });

  it('is not left on time alone: too few requests are too little evidence', async () => {
    const quiet = [5, 10, 15, 20, 25, 30].map((seconds) => [seconds, metrics(seconds, 0)] as const);
    expect((await run(planOf(), quiet)).leave).toMatchObject({
      leave: false,
      because: 'too-little-evidence',
      reason: 'too-few-requests',
    });
    const silent = [5, 10, 15, 20, 25, 30].map((seconds) => [seconds, metrics(7, 0)] as const);
    const anyTraffic = planOf({ steps: [{ stage: 'canary', percentage: 10, hold: '20s' }] });
    expect((await run(anyTraffic, silent)).leave).toMatchObject({ reason: 'no-requests' });
  });

  it('is not left on a breach, which is named before anything else', async () => {
    const broken = [...healthy(5, 25), [30, metrics(560, 40)], [35, 'unreachable']] as const;
    expect((await run(planOf(), broken)).leave).toMatchObject({
      leave: false,
      because: 'breach',
      reason: 'error-rate-too-high',
      verdicts: [{ outcome: 'breach' }, { outcome: 'hold', reason: 'query-error' }],
    });
    const critical = [...healthy(5, 25), [30, metrics(600, 0, 1)]] as const;
    expect((await run(planOf(), critical)).leave).toMatchObject({
      because: 'breach',
      reason: 'count-too-high',
    });
  });

  it.each<[string, string]>([
    ['query-error', 'timeout'],
    ['empty', 'critical_total 0\n'],
    ['nan', 'requests_total NaN\ncritical_total 0\n'],
  ])('is not left while data are missing (%s), however good they were', async (reason, answer) => {
    const { leave, evidence, at } = await run(planOf(), [...healthy(5, 60), [65, answer]]);
    expect(leave).toMatchObject({ leave: false, because: 'missing-data', reason });
    expect(missingForMs(evidence, at)).toBe(5_000);
  });

  it('is never left without a measurement, whatever time has passed', async () => {
    const steps = [{ stage: 'canary', percentage: 10, hold: '0s' }];
    const plan = planOf({ steps: steps });
    const { leave, evidence } = await run(plan, []);
    expect(leave).toMatchObject({ leave: false, because: 'missing-data', reason: 'not-read' });
    expect(missingForMs(evidence, START + 3_600_000)).toBe(3_600_000);
    const guardless = planOf({ guards: [], steps: steps });
    expect((await run(guardless, [])).leave).toMatchObject({ leave: false, because: 'hold-time' });
    expect((await run(guardless, [[5, '']])).leave).toEqual({ leave: true, verdicts: [] });
  });

  it('covers the time of a plan without guards by its checks alone', async () => {
    const plan = planOf({ guards: [] });
    const { leave } = await run(
      plan,
      [0, 5, 10, 15, 20].map((seconds) => [seconds, ''] as const),
    );
    expect(leave).toEqual({ leave: true, verdicts: [] });
  });

  it('counts time over a failed check, and not over a gap of more than three intervals', async () => {
    const twoFailed = [
      ...healthy(5, 10),
      [15, 'timeout'],
      [20, 'timeout'],
      ...healthy(25, 25),
    ] as const;
    expect((await run(planOf(), twoFailed)).evidence.coveredMs).toBe(20_000);
    const down = [...healthy(5, 10), ...healthy(26, 26)];
    expect((await run(planOf(), down)).evidence.coveredMs).toBe(5_000);
    const pausedForHours = [...healthy(5, 10), ...healthy(7_200, 7_205)];
    expect((await run(planOf(), pausedForHours)).evidence.coveredMs).toBe(10_000);
  });

  it('covers no time twice: not when told again, not when the clock goes back', async () => {
    const { evidence } = await run(planOf(), [
      ...healthy(5, 15),
      ...healthy(10, 10),
      ...healthy(15, 20),
    ]);
    expect(evidence.coveredMs).toBe(15_000);
  });

  it('covers no time twice without guards either, where only the clock says how late it is', async () => {
    const { evidence } = await run(
      planOf({ guards: [] }),
      [5, 10, 15, 10, 15, 20].map((seconds) => [seconds, ''] as const),
    );
    expect(evidence.coveredMs).toBe(15_000);
  });

  it('covers time again once the clock was set back by hours', async () => {
    const { evidence } = await run(planOf(), [...healthy(7_205, 7_215), ...healthy(5, 15)]);
    expect(evidence).toMatchObject({ coveredMs: 20_000, lastSuccessAt: START + 15_000 });
  });

  it('covers only time in which every guard had data', async () => {
    const half = (seconds: number) =>
      [seconds, `requests_total{code="200"} ${seconds * 20}\n`] as const;
    const { evidence, leave } = await run(planOf(), [5, 10, 15, 20, 25, 30].map(half));
    expect(evidence).toMatchObject({ coveredMs: 0, lastSuccessAt: null });
    expect(leave).toMatchObject({ because: 'missing-data', reason: 'empty' });
  });

  it('begins with no evidence and no covered time, from where the former one ended', async () => {
    const plan = planOf();
    const first = await run(plan, healthy(5, 25));
    const half = openStage(plan, 'half', first.at, first.evidence);
    expect(half).toMatchObject({ stage: 'half', coveredMs: 0, lastSuccessAt: null });
    const { verdicts } = await run(plan, [[30, metrics(600, 3)]], half);
    expect(verdicts[0]).toMatchObject({ evidence: { errors: 3, trials: 103, risk: 0.005 } });
  });

  it('is not judged with shares of another plan', () => {
    const plan = planOf();
    const evidence = openStage(plan, 'canary', START);
    expect(() => judgeStage(plan, { risk: 0.01, shares: {} }, evidence, START)).toThrow(
      expect.objectContaining({ code: 'GATE_SHARE_MISSING' }),
    );
  });

  it('survives a journey as JSON, as a part of its document', async () => {
    const { evidence } = await run(planOf(), [...healthy(5, 20), [25, 'timeout']]);
    expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence);
  });
});

describe('a healthy rollout', () => {
  it('whose error rate is at the limit is rolled back with at most its risk, over all guards, stages and looks', async () => {
    const plan = planOf({
      risk: '20%',
      guards: [1, 2, 3].map((i) => ({
        name: `g${i}`,
        judge: 'sequential',
        metric: `m${i}`,
        limit: '2%',
      })),
      metrics: Object.fromEntries(
        [1, 2, 3].map((i) => [
          `m${i}`,
          { type: 'ratio', source, bad: { metric: `bad_${i}` }, total: { metric: 'total' } },
        ]),
      ),
    });
    const random = lehmer(20_260_101);
    const rollouts = 60;
    let breached = 0;
    for (let rollout = 0; rollout < rollouts; rollout += 1)
      if (await breaches(plan, 0.02, random)) breached += 1;
    expect(breached / rollouts).toBeLessThanOrEqual(0.2);
    expect(breached).toBeGreaterThan(0);
  });

  it('whose error rate is half the limit is as good as never rolled back, and a broken one always', async () => {
    const plan = planOf();
    const random = lehmer(7);
    for (let rollout = 0; rollout < 20; rollout += 1) {
      expect(await breaches(plan, 0.005, random)).toBe(false);
      expect(await breaches(plan, 0.05, random)).toBe(true);
    }
  });
});

/** Two stages of 40 checks with 25 requests each, looked at after every check. */
async function breaches(plan: Plan, rate: number, random: () => number): Promise<boolean> {
  const pinned = pinRisk(plan);
  const recorded = recordedSource();
  const counters = { total: 0, bad: plan.guards.map(() => 0) };
  let evidence: StageEvidence | undefined;
  let at = START;
  for (const step of plan.steps) {
    evidence = openStage(plan, 'stage' in step ? step.stage : '', at, evidence);
    for (let look = 0; look < 40; look += 1) {
      for (let request = 0; request < 25; request += 1) {
        counters.total += 1;
        counters.bad = counters.bad.map((bad) => bad + (random() < rate ? 1 : 0));
      }
      const [bad = 0] = counters.bad;
      const text = [
        `total ${counters.total}`,
        ...counters.bad.map((count, i) => `bad_${i + 1} ${count}`),
        metrics(counters.total - bad, bad),
      ].join('\n');
      at += 5_000;
      recorded.record(A, at, text);
      evidence = checkStage(plan, evidence, await recorded.read(readsOf(plan, 'test'), at), at);
      if (judgeStage(plan, pinned, evidence, at).some(({ outcome }) => outcome === 'breach'))
        return true;
    }
  }
  return false;
}

/** Park and Miller's generator: the same draws for the same seed, everywhere. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
