import { isRejection, type Rejection } from '@tidegate/kernel';
import { flagStreamEvents } from '@tidegate/contracts';
import { parseJson, readSnapshot, readStates, type ReadStates } from './read-snapshot.ts';

/** `sync`: with these states the client holds all there is. */
export interface StatesEvent extends ReadStates {
  readonly kind: 'sync' | 'change';
}

/** What one event of the stream says. */
export type StreamEvent =
  StatesEvent | { readonly kind: 'heartbeat' } | { readonly kind: 'unknown' };

/** Refused with SDK_MESSAGE_INVALID: then the stream itself cannot be trusted. */
export function readStreamEvent(event: string | undefined, data: string): StreamEvent | Rejection {
  if (event === undefined || !Object.hasOwn(flagStreamEvents, event)) return { kind: 'unknown' };
  const json = parseJson(data, 'What the stream sent');
  if (isRejection(json)) return json;
  switch (event) {
    case 'snapshot': {
      const snapshot = readSnapshot(json.value);
      return isRejection(snapshot) ? snapshot : { kind: 'sync', ...snapshot };
    }
    case 'flag':
    case 'segment':
      return { kind: 'change', ...readStates(event, [json.value]) };
    case 'unchanged':
      return { kind: 'sync', states: [], problems: [] };
    default:
      return { kind: 'heartbeat' };
  }
}
