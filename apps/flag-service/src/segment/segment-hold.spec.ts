import { type RolloutRef, segmentDefinition, type SegmentEvent } from '@tidegate/contracts';
import { specification } from '@tidegate/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import { segmentDecider } from './segment.ts';
import { segmentOf } from './stored-segment.ts';

const given = specification(segmentDecider);

const ref = { environment: 'production', key: 'beta' };
const definition = segmentDefinition.parse({ members: ['ada'] });
const r1 = { id: 'r-1', generation: 1 };
const r1Later = { id: 'r-1', generation: 2 };
const r2 = { id: 'r-2', generation: 1 };
const metadata = { id: 'c', source: 'spec', at: 5, actor: 'alex', correlationId: 'c' };
const key = 'production/segments/beta';

const created: SegmentEvent = { type: 'SegmentCreated', data: { ...ref, after: { definition } } };
const heldBy = (rollout: RolloutRef): SegmentEvent => ({
  type: 'SegmentHeld',
  data: { ...ref, rollout, definition },
});
const hold = (rollout: RolloutRef, tellAgain?: boolean) => ({
  type: 'HoldSegment' as const,
  key,
  data: { ...ref, rollout, ...(tellAgain === undefined ? {} : { tellAgain }) },
  metadata,
});
const release = (rollout?: RolloutRef) => ({
  type: 'ReleaseSegment' as const,
  key,
  data: { ...ref, reason: 'over', ...(rollout ? { rollout } : {}) },
  metadata,
});
const put = (change: object) => ({
  type: 'PutSegment' as const,
  key,
  data: { ...ref, definition: segmentDefinition.parse({ ...definition, ...change }) },
  metadata,
});
const reliedOnAfter = (...facts: readonly SegmentEvent[]) =>
  segmentOf(given(facts).when(release()).state)?.reliedOn;

describe('a segment that rollouts rely on', () => {
  it('tells each what it is, and any number may', () => {
    given([created])
      .when(hold(r1))
      .then([heldBy(r1)]);
    given([created, heldBy(r1)])
      .when(hold(r2))
      .then([heldBy(r2)]);
    expect(reliedOnAfter(created, heldBy(r1), heldBy(r2))).toEqual([r1, r2]);
  });

  it('tells one that relies on it already once more only when asked to', () => {
    given([created, heldBy(r1)])
      .when(hold(r1))
      .then([]);
    given([created, heldBy(r1)])
      .when(hold(r1, true))
      .then([heldBy(r1)]);
  });

  it('follows a rollout into a later generation, never back', () => {
    given([created, heldBy(r1)])
      .when(hold(r1Later))
      .thenTypes('SegmentHeld');
    given([created, heldBy(r1Later)])
      .when(hold(r1, true))
      .thenRejected('GENERATION_OLD');
  });

  it('moves nobody in or out, and names who relies on it', () => {
    const { decision } = given([created, heldBy(r1), heldBy(r2)]).when(put({ members: [] }));
    expect(decision).toMatchObject({
      code: 'SEGMENT_HELD',
      message: expect.stringContaining('r-1, r-2'),
    });
    given([created, heldBy(r1)])
      .when({ type: 'DeleteSegment', key, data: { ...ref, reason: 'old' }, metadata })
      .thenRejected('SEGMENT_HELD');
  });

  it('can be described anew, and is relied on still', () => {
    expect(given([created, heldBy(r1)]).when(put({ owner: 'team' })).decision).toMatchObject([
      { type: 'SegmentChanged', data: { after: { reliedOn: [r1] } } },
    ]);
  });

  it('is not there to be relied on: the rollout is told so', () => {
    given([]).when(hold(r1)).thenRejected('SEGMENT_UNKNOWN');
  });
});

describe('a release of a segment', () => {
  it('frees it of that rollout alone, also from a later generation', () => {
    const released: SegmentEvent = {
      type: 'SegmentReleased',
      data: { ...ref, reason: 'over', rollout: r1Later },
    };
    given([created, heldBy(r1), heldBy(r2)])
      .when(release(r1Later))
      .then([released]);
    expect(reliedOnAfter(created, heldBy(r1), heldBy(r2), released)).toEqual([r2]);
  });

  it('frees it of all when an admin asks, and tells whom', () => {
    const released: SegmentEvent = {
      type: 'SegmentReleased',
      data: { ...ref, reason: 'over', rollouts: [r1, r2] },
    };
    given([created, heldBy(r1), heldBy(r2)])
      .when(release())
      .then([released]);
    given([created, heldBy(r1), heldBy(r2), released])
      .when(put({ members: [] }))
      .thenTypes('SegmentChanged');
  });

  it('changes nothing where nobody relies on it, and comes too late from before a rollback', () => {
    given([created]).when(release()).then([]);
    given([created, heldBy(r2)])
      .when(release(r1))
      .then([]);
    given([created, heldBy(r1Later)])
      .when(release(r1))
      .thenRejected('GENERATION_OLD');
  });
});
