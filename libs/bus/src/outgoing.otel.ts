import { encode, type OutgoingMessage, type WireRecord } from '@tidegate/contracts';
import { MAX_MESSAGE_BYTES } from './bus.port.ts';
import { busError } from './errors.ts';
import { fits, sizeOf } from './size-of.ts';
import { definitionOfTopic } from './topic.ts';
import { activeTraceparent } from './trace.otel.ts';

/** An encoded message and its topic, without prefix. */
export interface Outgoing {
  readonly topic: string;
  readonly record: WireRecord;
}

/** Thrown BUS_TOPIC_UNKNOWN, BUS_TYPE_UNKNOWN, BUS_MESSAGE_TOO_LARGE. */
export function outgoing(message: OutgoingMessage): Outgoing {
  const made = unlimited(message);
  if (!fits(made.record, MAX_MESSAGE_BYTES)) {
    const bytes = sizeOf(made.record);
    throw busError(
      'BUS_MESSAGE_TOO_LARGE',
      `${message.type} of ${message.key} has ${bytes} bytes, the limit is ${MAX_MESSAGE_BYTES}.`,
      { data: { type: message.type, key: message.key, bytes } },
    );
  }
  return made;
}

/** A dead letter carries a whole message, in base64: the limit is for what it carries. */
export function unlimited(message: OutgoingMessage): Outgoing {
  const { topic, metadata } = message;
  mustExist(topic);
  const traceparent = metadata.traceparent ?? activeTraceparent();
  const isKnown = traceparent === undefined || traceparent === metadata.traceparent;
  const record = encoded(
    isKnown ? message : { ...message, metadata: { ...metadata, traceparent } },
  );
  return { topic, record };
}

/** Thrown BUS_TOPIC_UNKNOWN. */
export function mustExist(topic: string): void {
  if (!definitionOfTopic(topic)) throw busError('BUS_TOPIC_UNKNOWN', `There is no topic ${topic}.`);
}

function encoded(message: OutgoingMessage): WireRecord {
  try {
    return encode(message);
  } catch (error) {
    throw busError('BUS_TYPE_UNKNOWN', `${message.type} cannot be published.`, { cause: error });
  }
}
