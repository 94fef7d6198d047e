import { describe, expect, it } from '@jest/globals';
import { ThresholdBreached } from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { manualClock } from '@tidegate/kernel/testing';
import { type FaultPoint, type Faults, noFaults } from '@tidegate/store';
import { Crash, crashAt, memoryStore, MemoryDisk } from '@tidegate/store/testing';
import type { Posted } from './alert.ts';
import { alertCollection } from './alerts.ts';
import { createAlerts } from './alerts.handler.ts';

const MINUTE = 60_000;
/** What a dead process had claimed is free again. */
const CLAIMED_MS = 15_000;

function house() {
  const clock = manualClock(1_790_000_000_000);
  const disk = new MemoryDisk();
  const seen = { posts: [] as (readonly Posted[])[], isAway: false, isOver: false };
  /** Each is a process of its own on the same store. */
  const open = (faults: Faults = noFaults, onPost: () => Promise<void> = async () => undefined) =>
    createAlerts({
      documents: memoryStore({ clock, disk }).documents(alertCollection),
      alertmanager: {
        async post(alerts) {
          await onPost();
          if (seen.isAway) return 'It could not be reached.';
          seen.posts.push(alerts);
          return undefined;
        },
      },
      clock,
      faults,
      source: 'metrics-gatekeeper',
      everyMs: MINUTE,
      isOver: async () => seen.isOver,
      wake: () => undefined,
      onPosted: () => undefined,
    });
  const breach = (guard = 'error-rate', source = 'metrics-gatekeeper') =>
    exampleOf(
      ThresholdBreached,
      { guard, fingerprint: `r-42/${guard}`, startsAt: clock.now() },
      { source, at: clock.now() },
    );
  const isFiring = ({ endsAt }: Posted): boolean => Date.parse(endsAt) > clock.now();
  return { clock, seen, open, breach, isFiring };
}

describe('breaches, told to an Alertmanager', () => {
  it('are told at once, again every minute, and once more when the rollout is over', async () => {
    const { clock, seen, open, breach, isFiring } = house();
    const alerts = open();
    await alerts.raise(breach());
    for (const isOver of [false, false, true]) {
      seen.isOver = isOver;
      await alerts.tellDue();
      await alerts.tellDue();
      expect(seen.posts.at(-1)?.map(isFiring)).toEqual([!isOver]);
      clock.advance(MINUTE);
    }
    await alerts.tellDue();
    expect(seen.posts).toHaveLength(3);
  });

  it('wait while it is away', async () => {
    const { clock, seen, open, breach } = house();
    const alerts = open();
    seen.isAway = true;
    await alerts.raise(breach());
    for (let minutes = 0; minutes < 60; minutes += 1) {
      await alerts.tellDue();
      clock.advance(MINUTE);
    }
    seen.isAway = false;
    await alerts.tellDue();
    expect(seen.posts).toHaveLength(1);
  });

  it('of one rollout are told together, also one that comes while the other is told', async () => {
    const { seen, open, breach } = house();
    let isFirst = true;
    const alerts = open(noFaults, async () => {
      if (isFirst) {
        isFirst = false;
        await alerts.raise(breach('invariant'));
      }
    });
    await alerts.raise(breach());
    await alerts.tellDue();
    await alerts.tellDue();
    expect(seen.posts.map((each) => each.map(({ labels }) => labels['guard']))).toEqual([
      ['error-rate'],
      ['error-rate', 'invariant'],
    ]);
  });

  it('that somebody else has noticed are theirs to tell', async () => {
    const { seen, open, breach } = house();
    const alerts = open();
    await alerts.raise(breach('by-hand', 'http:ci'));
    await alerts.tellDue();
    expect(seen.posts).toEqual([]);
  });

  it.each<FaultPoint>(['send.due', 'send.sent'])(
    'are told by another process if the one that does is killed at %s',
    async (point) => {
      const { clock, seen, open, breach } = house();
      const dying = open(crashAt(point));
      await dying.raise(breach());
      await expect(dying.tellDue()).rejects.toThrow(Crash);
      const before = seen.posts.length;
      clock.advance(CLAIMED_MS);
      await open().tellDue();
      expect(seen.posts).toHaveLength(before + 1);
    },
  );
});
