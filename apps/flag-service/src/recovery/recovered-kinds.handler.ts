import type { Flag, Metadata, Segment } from '@tidegate/contracts';
import type { Documents, Outcome } from '@tidegate/store';
import type { ChangeFlag } from '../flag/change-flag.handler.ts';
import { flagId } from '../flag/flags.ts';
import { type StoredFlag, viewOf } from '../flag/stored-flag.ts';
import type { ChangeSegment } from '../segment/change-segment.handler.ts';
import { segmentOf, type StoredSegment } from '../segment/stored-segment.ts';
import type { NewestStates } from './newest-states.handler.ts';
import type { HeldState, TopicState } from './standing.ts';

/** What is recovered, and how: flags, and the segments that they refer to. */
export interface RecoveredKind<V> {
  readonly noun: 'flag' | 'segment';
  readonly states: readonly TopicState<V>[];
  /** Of the command that recovers it: the same each time. */
  readonly idOf: (environment: string, key: string) => string;
  readonly held: (id: string) => Promise<HeldState<V> | undefined>;
  readonly take: (
    environment: string,
    state: TopicState<V>,
    metadata: Metadata,
  ) => Promise<Pick<Outcome<unknown>, 'answer' | 'repeated'> & { readonly shown: object }>;
}

interface Parts {
  readonly flags: Documents<StoredFlag>;
  readonly changeFlag: ChangeFlag;
  readonly segments: Documents<StoredSegment>;
  readonly changeSegment: ChangeSegment;
}

export const kindsOf = (
  parts: Parts,
  states: NewestStates,
): readonly RecoveredKind<Flag | Segment>[] =>
  [segmentsOf(parts, states), flagsOf(parts, states)] as RecoveredKind<Flag | Segment>[];

const flagsOf = ({ flags, changeFlag }: Parts, states: NewestStates): RecoveredKind<Flag> => ({
  noun: 'flag',
  states: states.flags,
  idOf: flagId,
  held: async (id) => {
    const document = await flags.load(id);
    return document && { version: document.version, view: viewOf(document.state) };
  },
  take: async (environment, { key, view, epoch, version }, metadata) => {
    const outcome = await changeFlag({
      type: 'RecoverFlag',
      data: { environment, key, flag: view, from: { epoch, version } },
      metadata,
    });
    const shown = { status: outcome.state.status, heldBy: view?.hold?.rollout.id };
    return { ...outcome, shown };
  },
});

const segmentsOf = (
  { segments, changeSegment }: Parts,
  states: NewestStates,
): RecoveredKind<Segment> => ({
  noun: 'segment',
  states: states.segments,
  idOf: (environment, key) => `segment/${flagId(environment, key)}`,
  held: async (id) => {
    const document = await segments.load(id);
    return document && { version: document.version, view: segmentOf(document.state) };
  },
  take: async (environment, { key, view, epoch, version }, metadata) => {
    const outcome = await changeSegment({
      type: 'RecoverSegment',
      data: { environment, key, segment: view, from: { epoch, version } },
      metadata,
    });
    return { ...outcome, shown: { status: outcome.state.status } };
  },
});
