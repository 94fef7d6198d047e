import { AppError, type Draft } from '@tidegate/kernel';
import { definitionOf, type Metadata, type OutgoingMessage } from '@tidegate/contracts';
import type { StoreErrorCode } from './errors.ts';
import { laneOf } from './lanes.ts';

/** A draft as a message: topic and key from its definition. Thrown STORE_FAILED when there is no such type. */
export function stamp(
  draft: Draft & { readonly topic?: string },
  metadata: Metadata,
): OutgoingMessage {
  const definition = definitionOf(draft.type);
  if (!definition)
    throw new AppError<StoreErrorCode>(
      'STORE_FAILED',
      `There is no message type ${draft.type}: a rule made a draft that the catalogue does not list.`,
    );
  return {
    type: draft.type,
    key: definition.key(draft.data),
    topic: draft.topic ?? definition.topic,
    data: draft.data,
    metadata,
  };
}

const KINDS = { command: 1, event: 2, heartbeat: 2, state: 4 } as const;

const rank = ({ type, topic }: OutgoingMessage): number =>
  topic === 'kills' ? 0 : KINDS[definitionOf(type)?.kind ?? 'event'];

/**
 * The order in which a document owes its messages: kills, commands, events, states; what was decided for one
 * (topic, key) keeps its order, so that a lane ranks as its first.
 */
export function inOutboxOrder(messages: readonly OutgoingMessage[]): readonly OutgoingMessage[] {
  const ranks = new Map<string, number>();
  for (const message of messages) {
    const name = laneOf(message);
    ranks.set(name, Math.min(rank(message), ranks.get(name) ?? Infinity));
  }
  return messages.toSorted((a, b) => (ranks.get(laneOf(a)) ?? 0) - (ranks.get(laneOf(b)) ?? 0));
}
