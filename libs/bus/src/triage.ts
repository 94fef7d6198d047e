import {
  decode,
  type Decoded,
  definitionOf,
  definitionOfWire,
  type WireRecord,
} from '@tidegate/contracts';
import { isRejection, type Rejection } from '@tidegate/kernel';
import type { Failure } from './delivery-policy.ts';

export type Triage =
  | { readonly kind: 'deliver'; readonly decoded: Decoded }
  /** Known, and of no interest to this group. */
  | { readonly kind: 'pass' }
  | { readonly kind: 'unknown-type'; readonly type: string }
  | { readonly kind: 'give-up'; readonly failure: Failure };

const PASS = { kind: 'pass' } as const;
const nameOf = (wire: string): string => wire.replace(/\.v\d+$/, '');

/** The wire names, without version, of the types that a group takes. */
export const namesOf = (types: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...types].flatMap((type) => definitionOf(type)?.wire ?? []).map(nameOf));

/**
 * What a group does with a record: only what it takes is decoded, so a broken record of another type is left to those
 * who take that type. @param names of `namesOf(types)`
 */
export function triage(
  record: WireRecord,
  types: ReadonlySet<string>,
  names: ReadonlySet<string>,
): Triage {
  const wire = record.headers['ce_type'];
  const definition = wire === undefined ? undefined : definitionOfWire(wire);
  if (definition && !types.has(definition.type)) return PASS;
  const decoded = decode(record);
  if (!isRejection(decoded)) return { kind: 'deliver', decoded };
  if (decoded.code === 'MESSAGE_TYPE_UNKNOWN') return { kind: 'unknown-type', type: wire ?? '' };
  if (decoded.code !== 'MESSAGE_VERSION_UNKNOWN') return giveUp('undecodable', decoded);
  return names.has(nameOf(wire ?? '')) ? giveUp('unknown-version', decoded) : PASS;
}

const giveUp = (reason: Failure['reason'], { code, message }: Rejection): Triage => ({
  kind: 'give-up',
  failure: { reason, code, message },
});
