import type { Flag, FlagCommand, FlagRecord } from '@tidegate/contracts';
import { canonicalJson, type Command, type Revision } from '@tidegate/kernel';
import { type StoredFlag, viewOf } from './stored-flag.ts';

/** What this service asks of itself after an older backup of the store was put back. */
export interface RecoverFlag extends Command {
  readonly type: 'RecoverFlag';
  readonly data: {
    readonly environment: string;
    readonly key: string;
    /** As the state topic has it; null: deleted. */
    readonly flag: Flag | null;
    /** Of that state. */
    readonly from: Revision;
  };
}

export type AnyFlagCommand = FlagCommand | RecoverFlag;

export const RECOVERED = 'recovered from the state topic after an older backup was put back';

/** `since`: the epoch that the restored documents are of; `epoch`: the one that was raised for them. */
export interface Epochs {
  readonly since: number;
  readonly epoch: number;
}

/**
 * What the newest state in a topic is to a restored store: `known` to it, `lost` with the backup, or `foreign`, of
 * an epoch that the store cannot have had: it was raised before, for another backup.
 */
export function standingOf(
  record: FlagRecord,
  held: { readonly version: number; readonly state: StoredFlag } | undefined,
  { since, epoch }: Epochs,
): 'known' | 'lost' | 'foreign' {
  if (record.epoch >= epoch) return isOwn(record, held, epoch) ? 'known' : 'foreign';
  if (!held && record.flag === null) return 'known';
  if (record.epoch === since) return record.version > (held?.version ?? 0) ? 'lost' : 'known';
  return record.epoch > since ? 'lost' : 'known';
}

/** A recovery that was cut off has published what it saved, and nothing else of its epoch. */
const isOwn = (
  record: FlagRecord,
  held: { readonly version: number; readonly state: StoredFlag } | undefined,
  epoch: number,
): boolean =>
  held !== undefined &&
  record.epoch === epoch &&
  record.version === held.version &&
  canonicalJson(record.flag) === canonicalJson(viewOf(held.state));
