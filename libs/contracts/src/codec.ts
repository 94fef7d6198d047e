import { isDeeper, MAX_JSON_DEPTH, messageOf, reject, type Rejection } from '@tidegate/kernel';
import type { z } from 'zod';
import { definitionOf, definitionOfWire, isKnownName } from './catalogue.ts';
import type { Message, MessageDefinition, Metadata } from './message.ts';

/**
 * A message on the wire: CloudEvents 1.0, Kafka binary binding.
 *
 *     key      aggregate id
 *     headers  ce_specversion ce_id ce_source ce_type ce_time(RFC 3339) ce_subject(= key)
 *              ce_actor ce_correlationid ce_causationid ce_epoch ce_version traceparent
 *              content-type: application/json
 *     value    JSON of the data, UTF-8
 */
export interface WireRecord {
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** null: a tombstone of a compacted topic. */
  readonly value: Uint8Array | null;
}

export interface Decoded {
  readonly message: Message;
  readonly definition: MessageDefinition;
}

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true });

export function encode(message: Message): WireRecord {
  const definition = definitionOf(message.type);
  if (!definition) throw new TypeError(`There is no message type ${message.type}.`);
  const { id, source, at, actor, correlationId, causationId, traceparent, revision } =
    message.metadata;
  return {
    key: message.key,
    headers: {
      ce_specversion: '1.0',
      ce_id: id,
      ce_source: source,
      ce_type: definition.wire,
      ce_time: timeOf(at),
      ce_subject: message.key,
      ce_actor: actor,
      ce_correlationid: correlationId,
      ...(causationId === undefined ? {} : { ce_causationid: causationId }),
      ...(revision === undefined
        ? {}
        : { ce_epoch: String(revision.epoch), ce_version: String(revision.version) }),
      ...(traceparent === undefined ? {} : { traceparent }),
      'content-type': 'application/json',
    },
    value: bytesOf(JSON.stringify(message.data)),
  };
}

/** Messages that are made together have one time: it is written out once. */
function timeOf(at: number): string {
  if (at !== latest.at) {
    latest.text = new Date(at).toISOString();
    latest.at = at;
  }
  return latest.text;
}
const latest = { at: Number.NaN, text: '' };

/** Short texts by way of a scratch that is large enough for sure: several times quicker than `encode`. */
function bytesOf(text: string): Uint8Array {
  if (text.length * 3 > scratch.length) return utf8.encode(text);
  return scratch.slice(0, utf8.encodeInto(text, scratch).written);
}
const scratch = new Uint8Array(12_288);

/**
 * Refused with MESSAGE_HEADER_MISSING, MESSAGE_TYPE_UNKNOWN, MESSAGE_VERSION_UNKNOWN, MESSAGE_EMPTY,
 * MESSAGE_NOT_JSON, MESSAGE_TOO_DEEP or MESSAGE_INVALID (names the field and what was expected).
 */
export function decode(record: WireRecord): Decoded | Rejection {
  const wire = record.headers['ce_type'];
  if (wire === undefined) return reject('MESSAGE_HEADER_MISSING', 'The header ce_type is missing.');
  const definition = definitionOfWire(wire);
  if (!definition)
    return isKnownName(wire)
      ? reject(
          'MESSAGE_VERSION_UNKNOWN',
          `${wire} is of a version that this release does not know.`,
        )
      : reject('MESSAGE_TYPE_UNKNOWN', `${wire} is not a type that this release knows.`);
  const metadata = metadataOf(record.headers);
  if ('rejected' in metadata) return metadata;
  if (record.value === null) return reject('MESSAGE_EMPTY', 'The record has no value.');
  const json = parse(record.value);
  if ('rejected' in json) return json;
  const data = definition.schema.safeParse(json.value);
  if (!data.success) return reject('MESSAGE_INVALID', problemsOf(data.error));
  const key = definition.key(data.data);
  return { definition, message: { type: definition.type, key, data: data.data, metadata } };
}

/** In one line: where there is room for one, the field must not be what is cut off. */
const problemsOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.') || 'data'}: ${message}`).join('; ');

/** A message about what people have sent holds it, and that may be nested MAX_JSON_DEPTH deep already. */
const MAX_MESSAGE_DEPTH = MAX_JSON_DEPTH + 32;

function parse(value: Uint8Array): { value: unknown } | Rejection {
  try {
    const text = fromUtf8.decode(value);
    if (isDeeper(text, MAX_MESSAGE_DEPTH))
      return reject(
        'MESSAGE_TOO_DEEP',
        `Objects and lists are nested deeper than ${MAX_MESSAGE_DEPTH} levels.`,
      );
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return reject('MESSAGE_NOT_JSON', messageOf(error));
  }
}

function metadataOf(headers: WireRecord['headers']): Metadata | Rejection {
  // Empty ones would be the same for all: the second message would pass for the first.
  const { ce_id: id = '', ce_source: source = '' } = headers;
  if (id === '' || source === '')
    return reject('MESSAGE_HEADER_MISSING', 'The headers ce_id and ce_source are needed.');
  const at = Date.parse(headers['ce_time'] ?? '');
  if (Number.isNaN(at))
    return reject('MESSAGE_HEADER_MISSING', 'The header ce_time must be an RFC 3339 time.');
  const {
    ce_causationid: causationId,
    traceparent,
    ce_epoch: epoch,
    ce_version: version,
  } = headers;
  return {
    id,
    source,
    at,
    actor: headers['ce_actor'] ?? source,
    correlationId: headers['ce_correlationid'] ?? id,
    ...(causationId === undefined ? {} : { causationId }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(epoch === undefined || version === undefined
      ? {}
      : { revision: { epoch: Number(epoch), version: Number(version) } }),
  };
}
