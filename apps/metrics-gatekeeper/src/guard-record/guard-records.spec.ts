import { describe, expect, it } from '@jest/globals';
import {
  GuardWouldBreach,
  type Message,
  PlanVersionCreated,
  RolloutHeld,
  StageOpened,
  ThresholdBreached,
} from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { manualClock } from '@tidegate/kernel/testing';
import { memoryStore } from '@tidegate/store/testing';
import { CANARY, Story } from '../rollout/story.memory.ts';
import { rolloutCollection } from '../rollout/rollouts.ts';
import { createGuardRecords } from './guard-records.handler.ts';
import { guardRecordCollection } from './guard-records.ts';

const revision = { epoch: 1, version: 3 };
const text = `plan: other
flag: f
metrics:
  errors: { type: ratio, source: { scrape: ['http://127.0.0.1:9/m'] }, bad: { metric: b }, total: { metric: t } }
guards:
  - { name: errors, judge: sequential, metric: errors, limit: 1%, detect: 5%, shadow: true }
steps:
  - { stage: canary, percentage: 10, hold: 1m }
`;

async function house() {
  const store = memoryStore({ clock: manualClock(1_790_000_000_000) });
  const rollouts = store.documents(rolloutCollection);
  const { state } = new Story([CANARY]).start();
  await rollouts.save('r-1', { state, version: 1, outbox: [] }, 0);
  const documents = store.documents(guardRecordCollection);
  const records = createGuardRecords({ documents, rollouts });
  const about = { rollout: 'r-1', plan: 'open-checkout' };
  const verdict = (guard: string, outcome: 'hold' | 'breach', reason: string) => ({
    guard,
    outcome,
    reason,
    message: `${guard}: ${reason}`,
  });
  const events = {
    opened: exampleOf(StageOpened, about, { revision }),
    held: exampleOf(
      RolloutHeld,
      {
        ...about,
        verdicts: [
          verdict('error-rate', 'hold', 'stale'),
          verdict('invariant', 'hold', 'no-requests'),
        ],
      },
      { revision },
    ),
    would: exampleOf(
      GuardWouldBreach,
      {
        ...about,
        guard: 'error-rate',
        verdict: verdict('error-rate', 'breach', 'error-rate-too-high'),
      },
      { revision },
    ),
    breached: exampleOf(
      ThresholdBreached,
      {
        rollout: 'r-1',
        guard: 'invariant',
        verdict: verdict('invariant', 'breach', 'count-too-high'),
      },
      { revision },
    ),
  } satisfies Record<string, Message>;
  return { records, documents, events };
}

describe('the record of guards', () => {
  it('is made of what rollouts say, each counted once', async () => {
    const { records, events } = await house();
    for (const event of [...Object.values(events), ...Object.values(events)])
      await records.record(event);
    expect(await records.of('open-checkout')).toMatchObject([
      { guard: 'error-rate', rollouts: 1, breached: 0, wouldHaveBreached: 1, heldForData: 1 },
      { guard: 'invariant', rollouts: 1, breached: 1, wouldHaveBreached: 0, heldForData: 0 },
    ]);
  });

  it('loses nothing when two events come at the same time', async () => {
    const { records, events } = await house();
    await Promise.all(Object.values(events).map((event) => records.record(event)));
    const found = await records.of('open-checkout');
    expect(found.map(({ hasFired }) => hasFired)).toEqual([true, true]);
  });

  it('knows the guards of a plan before its first rollout', async () => {
    const { records } = await house();
    await records.record(exampleOf(PlanVersionCreated, { plan: 'other', version: 2, text }));
    expect(await records.list({ limit: 10 })).toEqual([
      {
        plan: 'other',
        guards: [expect.objectContaining({ guard: 'errors', shadow: true, rollouts: 0 })],
      },
    ]);
  });

  it('passes over breaches that others report, rollouts of another store, and plans of an older release', async () => {
    const { records, events, documents } = await house();
    const { revision: _revision, ...metadata } = events.breached.metadata;
    await records.record({ ...events.breached, metadata });
    await records.record(exampleOf(StageOpened, { rollout: 'r-9' }, { revision }));
    await records.record(exampleOf(PlanVersionCreated, { plan: 'old', text: 'plan: old' }));
    await records.record(exampleOf(ThresholdBreached, { rollout: undefined }, { revision }));
    expect(await documents.list({ limit: 10 })).toEqual([]);
  });
});
