import { segmentDefinition, type SegmentEvent } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import { specification } from '@tidegate/kernel/testing';
import { describe, expect, it } from '@jest/globals';
import { type Known, NOTHING } from '../reference/known.ts';
import { segmentDecider, segmentDeciderKnowing } from './segment.ts';

const ref = { environment: 'production', key: 'beta' };
const paying = segmentDefinition.parse({
  when: { attribute: 'plan', operator: 'equals', value: 'pro' },
});
const listed = segmentDefinition.parse({ members: ['ada'] });
const through = (...segments: string[]) =>
  segmentDefinition.parse({ when: { any: segments.map((segment) => ({ segment })) } });
const known = (...segments: [key: string, ...refersTo: string[]][]) =>
  new Map(
    segments.map(([key, ...to]) => [
      key,
      { key, epoch: 1, version: 1, segment: { definition: through(...to) } },
    ]),
  );
const metadata = { id: 'c', source: 'http:alex', at: 5, actor: 'alex', correlationId: 'c' };
const put = (definition = paying, more: object = {}) => ({
  type: 'PutSegment' as const,
  key: 'production/segments/beta',
  data: { ...ref, definition, ...more },
  metadata,
});
const remove = {
  type: 'DeleteSegment' as const,
  key: 'production/segments/beta',
  data: { ...ref, reason: 'done' },
  metadata,
};
const created: SegmentEvent = {
  type: 'SegmentCreated',
  data: { ...ref, after: { definition: paying } },
};
const r1 = { id: 'r-1', generation: 1 };
const held: SegmentEvent = {
  type: 'SegmentHeld',
  data: { ...ref, rollout: r1, definition: paying },
};

const given = specification(segmentDecider);
const knowing = (known: Partial<Known>) =>
  specification(segmentDeciderKnowing({ ...NOTHING, ...known }));
const refusal = ({ decision }: { decision: unknown }) =>
  isRejection(decision) ? decision : undefined;

describe('a segment', () => {
  it('is made, changed and deleted, each time with before and after', () => {
    given([]).when(put()).then([created]);
    given([created])
      .when(put(listed, { reason: 'only her' }))
      .then([
        {
          type: 'SegmentChanged',
          data: {
            ...ref,
            before: { definition: paying },
            after: { definition: listed },
            reason: 'only her',
          },
        },
      ]);
    given([created])
      .when(remove)
      .then([
        {
          type: 'SegmentDeleted',
          data: { ...ref, before: { definition: paying }, reason: 'done' },
        },
      ]);
  });

  it('stays as it is when the same is put again', () => {
    given([created]).when(put()).then([]);
  });

  it('is changed only at the version that was expected', () => {
    given([created])
      .when(put(listed, { expectedVersion: 2 }))
      .thenRejected('SEGMENT_VERSION_CONFLICT');
    given([created])
      .when(put(listed, { expectedVersion: 0 }))
      .thenRejected('SEGMENT_VERSION_CONFLICT');
    given([])
      .when(put(listed, { expectedVersion: 3 }))
      .thenRejected('SEGMENT_VERSION_CONFLICT');
    given([created])
      .when(put(listed, { expectedVersion: 1 }))
      .thenTypes('SegmentChanged');
  });

  it('is unknown to whoever deletes it twice', () => {
    given([]).when(remove).thenRejected('SEGMENT_UNKNOWN');
  });

  it('that is used is not deleted, and the refusal names who uses it', () => {
    const users = { flags: ['checkout', 'search'], segments: ['staff'] };
    const refused = refusal(knowing({ users })([created]).when(remove));
    expect(refused?.code).toBe('SEGMENT_IN_USE');
    expect(refused?.message).toContain('flag checkout, flag search, segment staff');
  });

  it('refers only to segments that are there', () => {
    const refused = refusal(
      knowing({ segments: known(['staff']) })([]).when(put(through('staff', 'stuff'))),
    );
    expect(refused).toMatchObject({ code: 'SEGMENT_REFERENCE_UNKNOWN' });
    expect(refused?.message).toContain('segment stuff in production');
  });

  it('never refers to itself, however long the way', () => {
    const segments = known(['staff', 'office'], ['office', 'beta'], ['beta']);
    const refused = refusal(knowing({ segments })([created]).when(put(through('staff'))));
    expect(refused?.code).toBe('SEGMENT_CYCLE');
    expect(refused?.message).toContain('beta → staff → office → beta');
    expect(refusal(given([created]).when(put(through('beta'))))?.message).toContain('beta → beta');
  });

  it('is refused with a pattern that cannot be used', () => {
    const when = { attribute: 'email', operator: 'matches' as const, value: '(' };
    const refused = refusal(given([]).when(put(segmentDefinition.parse({ when }))));
    expect(refused).toMatchObject({
      code: 'SEGMENT_INVALID',
      message: expect.stringContaining('when.value: '),
    });
  });

  it('is one of at most 1 000', () => {
    knowing({ count: 1_000 })([]).when(put()).thenRejected('SEGMENT_LIMIT_REACHED');
    knowing({ count: 1_000 })([created]).when(put(listed)).thenTypes('SegmentChanged');
  });

  it('on which a rollout relies moves nobody, and may be described anew', () => {
    const refused = refusal(given([created, held]).when(put(listed)));
    expect(refused).toMatchObject({ code: 'SEGMENT_HELD' });
    expect(refused?.message).toContain('r-1');
    given([created, held]).when(remove).thenRejected('SEGMENT_HELD');
    given([created, held])
      .when(put({ ...paying, description: 'whoever pays' }))
      .thenTypes('SegmentChanged');
  });

  it('comes back after a restored backup as it was served last', () => {
    const from = { epoch: 1, version: 4 };
    const command = {
      type: 'RecoverSegment' as const,
      data: { ...ref, segment: { definition: listed }, from },
      metadata,
    };
    given([created]).when(command).thenTypes('SegmentRecovered');
  });
});
