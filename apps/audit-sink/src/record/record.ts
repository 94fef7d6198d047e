import type { RawRecord } from '@tidegate/bus';
import { isUtf8 } from 'node:buffer';
import { contentHash, type Line, lineOf } from './line.ts';
import type { Content, RecordOrigin } from './manifest.ts';

/** The line of a record of the bus, also of one that nobody could decode. */
export function messageLine({ origin, record, recordedAt }: RawRecord, at: Placing): Line {
  const contentText = JSON.stringify(contentOf(record));
  const { headers } = record;
  return lineOf(
    {
      v: 1,
      position: at.position,
      kind: 'message',
      origin: originOf(origin),
      contentHash: contentHash(at.salt, contentText),
      occurredAt: timeOf(headers['ce_time']),
      recordedAt,
      who: headers['ce_actor'] ?? null,
      type: headers['ce_type'] ?? null,
      correlationId: headers['ce_correlationid'] ?? null,
      source: headers['ce_source'] ?? null,
      id: headers['ce_id'] ?? null,
    },
    { salt: at.salt, contentText },
  );
}

/** Where a line goes, and 32 hexadecimal digits that nobody can guess. */
export interface Placing {
  readonly position: number;
  readonly salt: string;
}

/** The line that says which records of a partition are missing, as seen when `next` came. */
export function gapLine(
  first: RecordOrigin,
  missing: bigint | null,
  next: RawRecord,
  position: number,
): Line {
  return lineOf(
    {
      v: 1,
      position,
      kind: 'gap',
      origin: first,
      contentHash: null,
      occurredAt: null,
      recordedAt: next.recordedAt,
      who: null,
      type: null,
      correlationId: null,
      source: null,
      id: null,
      missing: missing === null ? null : String(missing),
    },
    null,
  );
}

export const originOf = ({ offset, ...place }: RawRecord['origin']): RecordOrigin => ({
  topic: place.topic,
  incarnation: place.incarnation,
  partition: place.partition,
  offset: String(offset),
});

function contentOf({ key, headers, value }: RawRecord['record']): Content {
  if (value === null) return { key, headers, value: null };
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return {
    key,
    headers,
    value: isUtf8(bytes) ? { utf8: bytes.toString('utf8') } : { base64: bytes.toString('base64') },
  };
}

function timeOf(text: string | undefined): number | null {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? null : at;
}
