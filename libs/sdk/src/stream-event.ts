import { messageOf, reject, type Rejection } from '@tidegate/kernel';
import {
  type FlagRecord,
  flagRecord,
  flagSnapshotEnvelope,
  flagStreamEvents,
} from '@tidegate/contracts';

/**
 * `sync`: with these states the client holds all there is. `problems` has a sentence for each flag
 * that this release cannot read; the others are good.
 */
export interface FlagsEvent {
  readonly kind: 'sync' | 'change';
  readonly flags: readonly FlagRecord[];
  readonly problems: readonly string[];
}

/** What one event of the stream says. */
export type StreamEvent =
  FlagsEvent | { readonly kind: 'heartbeat' } | { readonly kind: 'unknown' };

/** Refused with SDK_MESSAGE_INVALID: then the stream itself cannot be trusted. */
export function readStreamEvent(event: string | undefined, data: string): StreamEvent | Rejection {
  if (event === undefined || !Object.hasOwn(flagStreamEvents, event)) return { kind: 'unknown' };
  const json = parse(data);
  if ('rejected' in json) return json;
  switch (event) {
    case 'snapshot': {
      const snapshot = flagSnapshotEnvelope.safeParse(json.value);
      if (!snapshot.success) return invalid(`The snapshot is not one: ${sentence(snapshot.error)}`);
      return { kind: 'sync', ...readFlags(snapshot.data.flags) };
    }
    case 'flag':
      return { kind: 'change', ...readFlags([json.value]) };
    case 'unchanged':
      return { kind: 'sync', flags: [], problems: [] };
    default:
      return { kind: 'heartbeat' };
  }
}

function readFlags(values: readonly unknown[]): { flags: FlagRecord[]; problems: string[] } {
  const flags: FlagRecord[] = [];
  const problems: string[] = [];
  for (const value of values) {
    const record = flagRecord.safeParse(value);
    if (record.success) flags.push(record.data);
    else problems.push(`The flag ${keyOf(value)} cannot be read: ${sentence(record.error)}`);
  }
  return { flags, problems };
}

const keyOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'key' in value ? String(value.key) : 'without key';

const sentence = (error: {
  readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[];
}): string =>
  error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ');

function parse(data: string): { readonly value: unknown } | Rejection {
  try {
    return { value: JSON.parse(data) as unknown };
  } catch (error) {
    return invalid(`The stream sent what is not JSON: ${messageOf(error)}`);
  }
}

const invalid = (message: string): Rejection => reject('SDK_MESSAGE_INVALID', message);
