import { describe, expect, it } from '@jest/globals';
import {
  RiskLevelLeft,
  RiskLevelReached,
  RollbackStarted,
  RolloutCompleted,
  RolloutHeld,
  RolloutPaused,
  RolloutResumed,
  StepStarted,
} from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { manualClock } from '@tidegate/kernel/testing';
import { memoryStore } from '@tidegate/store/testing';
import type { Standing, StandingEvent } from './rollout-standing.ts';
import { createStandings } from './rollout-standings.handler.ts';

type Definition = Parameters<typeof exampleOf>[0];

/** Events of r-42 in their order, each at the next version of the rollout. */
function rollout() {
  const standings = createStandings(
    memoryStore({ clock: manualClock() }).projection<Standing>('rollout-standings'),
  );
  let version = 0;
  const event = (definition: Definition, data: object = {}): StandingEvent => {
    version += 1;
    const example = exampleOf(definition);
    return {
      ...example,
      data: { ...(example.data as object), ...data, rollout: 'r-42' },
      metadata: { ...example.metadata, revision: { epoch: 1, version } },
    } as StandingEvent;
  };
  return {
    event,
    note: standings.note,
    happens: (definition: Definition, data: object = {}) => standings.note(event(definition, data)),
    held: () => standings.heldBy('r-42'),
  };
}
const noData = { reason: 'no-requests', message: 'error-rate has seen no requests.' };
const atRisk = { level: 'hold', message: 'The risk score is 60.' };

describe('a run of a rollout', () => {
  it('is not held before anything is known', async () => {
    expect(await rollout().held()).toBeUndefined();
  });

  it('is held as long as the rollout is', async () => {
    const { happens, held } = rollout();
    await happens(RolloutHeld, noData);
    expect(await held()).toBe('Rollout r-42 is held: error-rate has seen no requests.');
    await happens(RolloutResumed);
    expect(await held()).toBeUndefined();
  });

  it.each(['migration-paused', 'migration-refused', 'awaiting-approval'])(
    'is not held because of what the rollout waits for itself: %s',
    async (reason) => {
      const { happens, held } = rollout();
      await happens(RolloutHeld, noData);
      await happens(RolloutHeld, { reason });
      expect(await held()).toBeUndefined();
    },
  );

  it('is held at the risk level that holds, until that is left', async () => {
    const { happens, held } = rollout();
    await happens(RiskLevelReached, { level: 'notify' });
    expect(await held()).toBeUndefined();
    await happens(RiskLevelReached, atRisk);
    await happens(RolloutHeld, noData);
    await happens(RolloutResumed);
    expect(await held()).toBe('Rollout r-42 is held: The risk score is 60.');
    await happens(RiskLevelLeft, { level: 'hold' });
    expect(await held()).toBeUndefined();
  });

  it.each([
    [StepStarted.type, StepStarted],
    [RolloutPaused.type, RolloutPaused],
    [RollbackStarted.type, RollbackStarted],
    [RolloutCompleted.type, RolloutCompleted],
  ])('is not held any more after %s', async (_type, definition) => {
    const { happens, held } = rollout();
    await happens(RolloutHeld, noData);
    await happens(definition);
    expect(await held()).toBeUndefined();
  });

  it('is held by the newest event, also when an older one comes again', async () => {
    const { event, note, held } = rollout();
    const [hold, resumed, again] = [
      event(RolloutHeld, noData),
      event(RolloutResumed),
      event(RolloutHeld, { ...noData, message: 'again' }),
    ];
    for (const each of [hold, resumed, hold]) await note(each);
    expect(await held()).toBeUndefined();
    for (const each of [again, again, resumed]) await note(each);
    expect(await held()).toBe('Rollout r-42 is held: again');
  });

  it('hears nothing from anybody but the rollout itself', async () => {
    const { event, note, held } = rollout();
    const { revision: _revision, ...metadata } = event(RolloutHeld).metadata;
    await note({ ...event(RolloutHeld, noData), metadata });
    expect(await held()).toBeUndefined();
  });
});
