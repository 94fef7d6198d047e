import type { Message, OutgoingMessage } from '@tidegate/contracts';
import {
  definitionOf,
  type Flag,
  type FlagEvent,
  type RolloutRef,
  type Segment,
  type SegmentEvent,
  segmentStateKey,
} from '@tidegate/contracts';
import { flagDecider } from '../../apps/flag-service/src/flag/flag.ts';
import { type StoredFlag, viewOf } from '../../apps/flag-service/src/flag/stored-flag.ts';
import { segmentDecider } from '../../apps/flag-service/src/segment/segment.ts';
import { splitSegmentId } from '../../apps/flag-service/src/segment/segments.ts';
import {
  segmentOf,
  type StoredSegment,
} from '../../apps/flag-service/src/segment/stored-segment.ts';
import type { World } from './world.ts';

/** One version of a flag, as its events tell it. */
export interface FlagVersion {
  readonly version: number;
  readonly at: number;
  readonly event: Message & FlagEvent;
  readonly state: StoredFlag;
  readonly flag: Flag | null;
}

/** The same of a segment. */
export interface SegmentVersion {
  readonly version: number;
  readonly event: Message & SegmentEvent;
  readonly state: StoredSegment;
  readonly segment: Segment | null;
}

/** The key of a segment's messages, from the id of its document. */
export function segmentKeyOf(id: string): string {
  const { environment, key } = splitSegmentId(id);
  return `${environment}/${segmentStateKey(key)}`;
}

/** The order in which a world's messages were decided: ids are counted up. */
export const orderOf = ({ metadata }: Message): number => Number(metadata.id.slice(1));

/** Each message once, where it first came to its topic. */
export function firstOfEach(published: readonly OutgoingMessage[]): readonly OutgoingMessage[] {
  const seen = new Set<string>();
  return published.filter(({ metadata: { source, id }, topic }) => {
    const identity = `${topic} ${source} ${id}`;
    const isNew = !seen.has(identity);
    seen.add(identity);
    return isNew;
  });
}

/** What the topics say of a world, read once for all that is checked. */
export class Evidence {
  readonly world: World;
  readonly messages: readonly OutgoingMessage[];
  readonly byId: ReadonlyMap<string, OutgoingMessage>;
  readonly #byType: Map<string, OutgoingMessage[]>;
  readonly #flags = new Map<string, readonly FlagVersion[]>();

  constructor(world: World) {
    this.world = world;
    this.messages = firstOfEach(world.bus.published);
    this.byId = new Map(this.messages.map((message) => [message.metadata.id, message]));
    this.#byType = Map.groupBy(this.messages, ({ type }) => type);
  }

  /** In the order in which they came to their topic. */
  of(...types: readonly string[]): readonly OutgoingMessage[] {
    return types.flatMap((type) => this.#byType.get(type) ?? []);
  }

  commands(): readonly OutgoingMessage[] {
    return this.messages.filter(({ type }) => definitionOf(type)?.kind === 'command');
  }

  /** The flag's versions, replayed from its events through the real rules. */
  flag(id: string): readonly FlagVersion[] {
    const known = this.#flags.get(id);
    if (known) return known;
    let state: StoredFlag = flagDecider.initial;
    const versions = this.#changes(id).map((message): FlagVersion => {
      const event = message as OutgoingMessage & FlagEvent;
      state = flagDecider.evolve(state, event);
      const { at, revision } = event.metadata;
      return { version: revision?.version ?? 0, at, event, state, flag: viewOf(state) };
    });
    this.#flags.set(id, versions);
    return versions;
  }

  /** The same of a segment, by its message key: `production/segments/beta`. */
  segment(id: string): readonly SegmentVersion[] {
    let state: StoredSegment = segmentDecider.initial;
    return this.#changes(id).map((message): SegmentVersion => {
      const event = message as OutgoingMessage & SegmentEvent;
      state = segmentDecider.evolve(state, event);
      const version = event.metadata.revision?.version ?? 0;
      return { version, event, state, segment: segmentOf(state) };
    });
  }

  #changes(id: string): readonly OutgoingMessage[] {
    return this.messages
      .filter(
        ({ topic, key, type, metadata }) =>
          topic === 'flag.events' &&
          key === id &&
          !type.endsWith('CommandAnswered') &&
          metadata.revision,
      )
      .toSorted((a, b) => orderOf(a) - orderOf(b));
  }
}

/** The rollout that a message names, by its id or by a reference. */
export function rolloutOf({ data }: Message): string | undefined {
  const { rollout } = data as { rollout?: string | RolloutRef };
  return typeof rollout === 'string' ? rollout : rollout?.id;
}
