import { expect, it } from '@jest/globals';
import { type OutgoingMessage, readPlan, StartRollout } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import type { Fact } from '@tidegate/kernel';
import { manualClock, sequentialIds } from '@tidegate/kernel/testing';
import type { RecordedPoint, RecordedSeries } from '@tidegate/metrics-source';
import { createExecute, createOutbox, noFaults } from '@tidegate/store';
import { memoryStore } from '@tidegate/store/testing';
import fc from 'fast-check';
import { createGatekeeper } from '../gatekeeper.handler.ts';
import type { RolloutMessage } from '../rollout/message.ts';
import { begin, play } from './play.handler.ts';
import { planFrom, START } from './recorded.memory.ts';
import { planOn, type Recording, sourceOf } from './recording.ts';
import { answerTo } from './stand-ins.ts';

const PLAN = `
plan: live
flag: checkout-v2
checkEvery: 5s
pageAfter: 40s
metrics:
  errors:
    type: ratio
    source: { prometheus: { scrapeInterval: 5s } }
    bad: { metric: requests_total, where: { status: error } }
    total: { metric: requests_total }
  lost: { type: count, source: { prometheus: { scrapeInterval: 5s } }, count: { metric: lost_total } }
guards:
  - { name: error-rate, judge: sequential, metric: errors, limit: 2%, detect: 20% }
  - { name: over-tenth, judge: sustained, metric: errors, above: 10%, for: 20s, shadow: true }
  - { name: lost-orders, judge: immediate, metric: lost }
steps:
  - { migrate: order-totals, action: execute }
  - { stage: canary, percentage: 10, hold: 40s }
  - { stage: all, percentage: 100, hold: 40s }
  - { bake: after, hold: 20s }
`;
const EVERY_MS = 5_000;
const SCRAPES = 60;

/** What decides, in the words of its events. */
const TOLD: ReadonlySet<string> = new Set([
  'StepStarted',
  'StageOpened',
  'StepCompleted',
  'RolloutHeld',
  'RolloutResumed',
  'GuardWouldBreach',
  'RiskLevelReached',
  'RiskLevelLeft',
  'ThresholdBreached',
  'RollbackStarted',
  'RolloutRolledBack',
  'RolloutCompleted',
]);

const toldBy = (type: string, at: number, data: object) => {
  if (!TOLD.has(type)) return [];
  const { rollout: id, fingerprint: _, environment: _e, ...rest } = data as Record<string, unknown>;
  return [{ type, at, data: JSON.stringify(rest).replaceAll(String(id), 'it') }];
};

async function rehearsed(recording: Recording) {
  const plan = planOn(recording, planFrom(PLAN));
  const stage = {
    source: sourceOf(recording),
    until: START + SCRAPES * EVERY_MS,
    breathe: async () => undefined,
  };
  const { scene } = await play(begin(plan, 'production', START), stage);
  return scene.said.flatMap(({ type, data, metadata }) => toldBy(type, metadata.at, data));
}

/** The service itself, all but its edges: store, outbox, claims and handlers, with a clock that is moved. */
async function live(recording: Recording) {
  const clock = manualClock(START);
  const store = memoryStore({ clock });
  const ids = sequentialIds('m');
  const inbox: OutgoingMessage[] = [];
  const published: OutgoingMessage[] = [];
  const publish = async (messages: readonly OutgoingMessage[]) => {
    published.push(...messages);
    inbox.push(...messages);
  };
  const outbox = createOutbox({ publish, faults: noFaults });
  const execute = createExecute({ outbox, ids, clock, source: 'gate', faults: noFaults });
  const source = sourceOf(recording);
  const { plans, rollouts, checks } = createGatekeeper({
    execute,
    store,
    clock,
    ids,
    name: 'gate',
    source,
  });
  const answerAll = async () => {
    for (let next = inbox.shift(); next; next = inbox.shift()) {
      const answer = answerTo(next as unknown as Fact<RolloutMessage>, `to-${next.metadata.id}`);
      if (answer?.type === 'RecordEvent') await rollouts.observe(answer.data);
    }
  };
  await plans.put('live', PLAN, { source: 'spec', actor: 'alex' });
  const start = { rollout: 'r-1', plan: 'live', environment: 'production' };
  await rollouts.start(exampleOf(StartRollout, start, { id: 's-1', at: START }));
  await answerAll();
  for (let scrape = 0; scrape <= SCRAPES; scrape += 1) {
    await Promise.all(await checks.runDue());
    await answerAll();
    clock.advance(EVERY_MS);
  }
  return published.flatMap(({ type, data, metadata }) => toldBy(type, metadata.at, data as object));
}

/** One counter, from how much each scrape finds more; below 0 it restarts, and `null` is a scrape that is lost. */
function counted(name: string, status: string, more: readonly (number | null)[]): RecordedSeries {
  let total = 0;
  const points = more.flatMap((each, index): RecordedPoint[] => {
    const at = START + index * EVERY_MS;
    if (each === null) return [[at, 'stale']];
    total = each < 0 ? -each : total + each;
    return [[at, total]];
  });
  return { name, labels: { status }, points };
}

const scrapes = <T>(one: fc.Arbitrary<T>) =>
  fc.array(one, { minLength: SCRAPES + 1, maxLength: SCRAPES + 1 });
const seldom = <T>(usual: fc.Arbitrary<number>, other: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: usual, weight: 60 }, { arbitrary: other, weight: 1 });
const recordings = fc
  .record({
    requests: scrapes(seldom(fc.integer({ min: 20, max: 60 }), fc.constantFrom(null, -7))),
    failing: fc.constantFrom(0, 0.005, 0.02, 0.3),
    lost: scrapes(seldom(fc.constant(0), fc.constant(1))),
  })
  .map(({ requests, failing, lost }): Recording => {
    const failed = (more: number | null, index: number) =>
      more === null || more < 0 ? more : Math.floor((more * failing * ((index % 7) + 1)) / 4);
    return {
      series: [
        counted('requests_total', 'ok', requests),
        counted('requests_total', 'error', requests.map(failed)),
        counted(
          'lost_total',
          'all',
          lost.map((each) => (each > 0 && failing < 0.02 ? 0 : each)),
        ),
      ],
    };
  });

it('decides what a real rollout decides on the same data, at the same times, for the same reasons', async () => {
  expect('plan' in readPlan(PLAN)).toBe(true);
  const outcomes = new Set<string | undefined>();
  await fc.assert(
    fc.asyncProperty(recordings, async (recording) => {
      const told = await rehearsed(recording);
      outcomes.add(told.at(-1)?.type);
      expect(told).toEqual(await live(recording));
    }),
    { numRuns: 12 },
  );
  expect(outcomes.size).toBeGreaterThan(1);
}, 60_000);
