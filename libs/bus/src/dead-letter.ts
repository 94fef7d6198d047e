import {
  answerTo,
  type Decoded,
  definitionOf,
  MessageDeadLettered,
  type Message,
  type OutgoingMessage,
  type WireRecord,
} from '@tidegate/contracts';
import type { DeadLetter, Origin, RawRecord } from './bus.port.ts';
import type { Failure } from './delivery-policy.ts';
import { DEAD_LETTER } from './topic.ts';

/** Headers of a replayed record, beside its own. */
const GROUP = 'tg_group';
const LETTER = 'tg_deadletter';
const ORIGIN = 'tg_origin';
const BY = 'tg_replayedby';
const ADDED: ReadonlySet<string> = new Set([GROUP, LETTER, ORIGIN, BY]);

/** An empty value is kept as none. @param entry where it stands in the log; differs from `raw.origin` when it was a replay */
export function deadLetter(
  group: string,
  entry: Origin,
  raw: RawRecord,
  failure: Failure & { attempts: number; at: number },
): DeadLetter {
  const { reason, code, message, attempts, at } = failure;
  const { topic, incarnation, partition, offset } = entry;
  return {
    id: [group, topic, incarnation, partition, offset].join(':'),
    at,
    group,
    origin: raw.origin,
    reason,
    code,
    message,
    attempts,
    record: { ...raw.record, value: raw.record.value?.byteLength ? raw.record.value : null },
  };
}

/** The letter as a message; its id is the letter's, so a letter that is written twice is one. */
export function letterMessage(letter: DeadLetter, source: string): OutgoingMessage {
  const { origin, record, group, reason, code, message, attempts } = letter;
  const { ce_correlationid: correlationId, ce_id: causationId, traceparent } = record.headers;
  return {
    topic: DEAD_LETTER,
    type: MessageDeadLettered.type,
    key: group,
    data: {
      group,
      origin: { ...origin, offset: String(origin.offset) },
      reason,
      code,
      message,
      attempts,
      key: record.key,
      headers: record.headers,
      value: Buffer.from(record.value ?? []).toString('base64'),
    },
    metadata: {
      id: letter.id,
      source,
      at: letter.at,
      actor: source,
      correlationId: correlationId ?? causationId ?? letter.id,
      ...(causationId === undefined ? {} : { causationId }),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  };
}

/** What `letterMessage` said. */
export function letterOf({ metadata, data }: Message): DeadLetter {
  const { origin, key, headers, value, ...rest } = data as MessageDeadLettered['data'];
  return {
    id: metadata.id,
    at: metadata.at,
    ...rest,
    origin: { ...origin, offset: BigInt(origin.offset) },
    record: {
      key,
      headers,
      value: value === '' ? null : new Uint8Array(Buffer.from(value, 'base64')),
    },
  };
}

/** A command that is given up is refused: whoever asked gets an answer. Undefined for what is no command. */
export function refusalOf(
  { message }: Decoded,
  { code, message: why, at }: DeadLetter,
  { id, source }: { id: string; source: string },
): OutgoingMessage | undefined {
  const answer = { outcome: 'refused', version: 0, code, message: why } as const;
  const draft = answerTo(message, answer);
  const definition = draft && definitionOf(draft.type);
  if (!definition) return undefined;
  const { correlationId, id: causationId, traceparent } = message.metadata;
  return {
    ...draft,
    topic: definition.topic,
    key: definition.key(draft.data),
    metadata: {
      id,
      source,
      at,
      actor: source,
      correlationId,
      causationId,
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  };
}

/**
 * What is published when a record is given up. A dead letter that its own reader cannot handle would come back to it for
 * ever: it is only reported. @param topic where the record stood
 */
export function messagesOf(
  letter: DeadLetter,
  decoded: Decoded | undefined,
  topic: string,
  { id, source }: { id: string; source: string },
): readonly OutgoingMessage[] {
  const refusal = decoded && refusalOf(decoded, letter, { id, source });
  const owed = topic === DEAD_LETTER ? [] : [letterMessage(letter, source)];
  return refusal ? [...owed, refusal] : owed;
}

/** The stored record, addressed to the one group that failed. */
export const replayOf = ({ id, group, origin, record }: DeadLetter, by: string): WireRecord => ({
  ...record,
  headers: {
    ...record.headers,
    [GROUP]: group,
    [LETTER]: id,
    [BY]: by,
    [ORIGIN]: JSON.stringify({ ...origin, offset: String(origin.offset) }),
  },
});

/** The record as it was when it failed, if it is replayed to this group. */
export function replayedTo(
  group: string,
  { recordedAt, record }: RawRecord,
): RawRecord | undefined {
  if (record.headers[GROUP] !== group) return undefined;
  const { offset, ...rest } = JSON.parse(record.headers[ORIGIN] ?? '') as Origin & {
    offset: string;
  };
  const own = Object.entries(record.headers).filter(([name]) => !ADDED.has(name));
  return {
    origin: { ...rest, offset: BigInt(offset) },
    recordedAt,
    record: { ...record, headers: Object.fromEntries(own) },
  };
}

/** Which letter a replayed record is of. */
export const letterIdOf = ({ record }: RawRecord): string | undefined => record.headers[LETTER];
