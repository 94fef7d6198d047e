import { expect, it } from '@jest/globals';
import { type OutgoingMessage, SignalReported, StartRollout } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { manualClock, sequentialIds } from '@tidegate/kernel/testing';
import { recordedSource } from '@tidegate/metrics-source/testing';
import { createExecute, createOutbox, noFaults } from '@tidegate/store';
import { memoryStore } from '@tidegate/store/testing';
import { createGatekeeper } from '../gatekeeper.handler.ts';

const PLAN = `
plan: open-checkout
flag: checkout-v2
metrics:
  data-loss: { type: signal, signal: data-loss }
guards:
  - { name: data-loss, judge: immediate, metric: data-loss }
steps:
  - { stage: canary, percentage: 10, hold: 1h }
`;
const about = { environment: 'production' };

/** The service without its edges, whose first check comes when it is asked for. */
async function house() {
  const clock = manualClock(1_790_000_000_000);
  const published: OutgoingMessage[] = [];
  const publish = async (messages: readonly OutgoingMessage[]) => void published.push(...messages);
  const ids = sequentialIds('m');
  const outbox = createOutbox({ publish, faults: noFaults });
  const execute = createExecute({ outbox, ids, clock, source: 'gate', faults: noFaults });
  const store = memoryStore({ clock });
  const source = recordedSource();
  const gatekeeper = createGatekeeper({ execute, store, clock, ids, name: 'gate', source });
  await gatekeeper.plans.put('open-checkout', PLAN, { source: 'spec', actor: 'alex' });
  return {
    clock,
    start: () =>
      gatekeeper.rollouts.start(
        exampleOf(
          StartRollout,
          { ...about, rollout: 'r-1', plan: 'open-checkout' },
          { id: 'start', at: clock.now() },
        ),
      ),
    report: (id: string, at = clock.now()) =>
      gatekeeper.signals.count(
        exampleOf(SignalReported, { ...about, signal: 'data-loss' }, { id, at }),
      ),
    check: async () => void (await Promise.all(await gatekeeper.checks.runDue())),
    breaches: () => published.filter(({ type }) => type === 'ThresholdBreached').length,
  };
}

it('what was reported between the start and the first check rolls back', async () => {
  const { clock, start, report, check, breaches } = await house();
  await start();
  clock.advance(10);
  await report('after');
  clock.advance(500);
  await check();
  expect(breaches()).toBe(1);
});

it('what was reported before the start does not, though it was counted after it', async () => {
  const { clock, start, report, check, breaches } = await house();
  const before = clock.now();
  await report('before', before);
  clock.advance(10);
  await start();
  clock.advance(500);
  await report('late', before);
  await check();
  expect(breaches()).toBe(0);
});
