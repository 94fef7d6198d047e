import { isRejection, messageOf, reject, type Rejection } from '@tidegate/kernel';
import {
  flagRecord,
  flagSnapshotEnvelope,
  segmentRecord,
  type ViewRecord,
} from '@tidegate/contracts';

const schemas = { flag: flagRecord, segment: segmentRecord };

/** What could be read; `problems` has a sentence for each flag or segment that this release cannot read. */
export interface ReadStates {
  readonly states: readonly ViewRecord[];
  readonly problems: readonly string[];
}

/** Refused with SDK_MESSAGE_INVALID if it is no snapshot at all. */
export function readSnapshot(value: unknown): ReadStates | Rejection {
  const snapshot = flagSnapshotEnvelope.safeParse(value);
  if (!snapshot.success) return invalid(`The snapshot is not one: ${sentence(snapshot.error)}`);
  const flags = readStates('flag', snapshot.data.flags);
  const segments = readStates('segment', snapshot.data.segments);
  return {
    states: [...segments.states, ...flags.states],
    problems: [...segments.problems, ...flags.problems],
  };
}

/** The same of its text, with the value that it was read from; `what` begins the sentence of a refusal. */
export function readSnapshotText(
  text: string,
  what: string,
): (ReadStates & { readonly value: object }) | Rejection {
  const json = parseJson(text, what);
  if (isRejection(json)) return json;
  const read = readSnapshot(json.value);
  return isRejection(read) ? read : { ...read, value: json.value as object };
}

export function readStates(kind: 'flag' | 'segment', values: readonly unknown[]): ReadStates {
  const states: ViewRecord[] = [];
  const problems: string[] = [];
  for (const value of values) {
    const record = schemas[kind].safeParse(value);
    if (record.success) states.push(record.data);
    else problems.push(`The ${kind} ${keyOf(value)} cannot be read: ${sentence(record.error)}`);
  }
  return { states, problems };
}

/** Refused with SDK_MESSAGE_INVALID; `what` begins the sentence. */
export function parseJson(text: string, what: string): { readonly value: unknown } | Rejection {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return invalid(`${what} is not JSON: ${messageOf(error)}`);
  }
}

const keyOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'key' in value ? String(value.key) : 'without key';

const sentence = (error: {
  readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[];
}): string =>
  error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ');

const invalid = (message: string): Rejection => reject('SDK_MESSAGE_INVALID', message);
