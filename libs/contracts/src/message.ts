import type { Revision } from '@tidegate/kernel';
import type { z } from 'zod';
import type { Topic } from './topics.ts';

/** What travels with every message, as CloudEvents attributes and extensions (see `codec.ts`). */
export interface Metadata {
  /** Unique together with `source`: the identity of the message. */
  readonly id: string;
  /** The service or user agent that made it, e.g. `flag-service`. */
  readonly source: string;
  /** When it was made, ms since 1970. */
  readonly at: number;
  /** Who asked: a key's name, a rollout (`rollout:<id>`) or a service. */
  readonly actor: string;
  /** The rollout or request that began it all. */
  readonly correlationId: string;
  /** The message that caused this one. */
  readonly causationId?: string;
  /** W3C trace context. */
  readonly traceparent?: string;
  /** Of the document that this message is about, after the change. Only on events and states. */
  readonly revision?: Revision;
}

/** `type` is the short name used in code; the wire name with its version stands in the definition. */
export interface Message<T extends string = string, D = unknown> {
  readonly type: T;
  /** The aggregate it is about, e.g. `production/checkout-v2`: messages of one key keep their order. */
  readonly key: string;
  readonly data: D;
  readonly metadata: Metadata;
}

/** A message on its way to one topic. */
export interface OutgoingMessage extends Message {
  readonly topic: string;
}

/**
 * Hands messages over, in the order given for each (topic, key); resolves when all are durable.
 * Thrown codes are the bus's; a failed call may have published a part of them.
 */
export type Publish = (messages: readonly OutgoingMessage[]) => Promise<void>;

export interface MessageDefinition<T extends string = string, S extends z.ZodType = z.ZodType> {
  readonly type: T;
  /** CloudEvents type with major version: `tidegate.flag.disabled.v1`. */
  readonly wire: string;
  readonly kind: 'command' | 'event' | 'state' | 'heartbeat';
  readonly topic: Topic;
  readonly schema: S;
  /** The aggregate id, from the data. */
  readonly key: (data: z.output<S>) => string;
  /** Acting on it later than this would be wrong: commands are refused with COMMAND_EXPIRED, alerts not sent. */
  readonly maxAgeMs?: number;
  /** How long a handler may take before the bus reports it stuck. Default 30 s. */
  readonly deadlineMs?: number;
  /** The published example; its JSON is a golden file that never changes. */
  readonly example: z.input<S>;
}

export const defineMessage = <const T extends string, S extends z.ZodType>(
  definition: MessageDefinition<T, S>,
): MessageDefinition<T, S> => definition;

/** The message type of a definition: `type DisableFlag = MessageOf<typeof DisableFlag>`. */
export type MessageOf<D extends MessageDefinition> =
  D extends MessageDefinition<infer T, infer S> ? Message<T, z.output<S>> : never;

/** What a rule returns for a definition: type and data. */
export type DraftOf<D extends MessageDefinition> =
  D extends MessageDefinition<infer T, infer S>
    ? { readonly type: T; readonly data: z.output<S> }
    : never;
