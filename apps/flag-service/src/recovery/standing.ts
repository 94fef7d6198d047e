import { canonicalJson, type Revision } from '@tidegate/kernel';

/** `since`: the epoch that the restored documents are of; `epoch`: the one that was raised for them. */
export interface Epochs {
  readonly since: number;
  readonly epoch: number;
}

/** The newest state of a flag or segment in a topic; `view` is null once it is deleted. */
export interface TopicState<V> extends Revision {
  readonly key: string;
  readonly view: V | null;
}

/** What the store has of it. */
export interface HeldState<V> {
  readonly version: number;
  readonly view: V | null;
}

/**
 * What the newest state in a topic is to a restored store: `known` to it, `lost` with the backup, or `foreign`, of
 * an epoch that the store cannot have had: it was raised before, for another backup.
 */
export function standingOf<V>(
  record: TopicState<V>,
  held: HeldState<V> | undefined,
  { since, epoch }: Epochs,
): 'known' | 'lost' | 'foreign' {
  if (record.epoch >= epoch) return isOwn(record, held, epoch) ? 'known' : 'foreign';
  if (!held && record.view === null) return 'known';
  if (record.epoch === since) return record.version > (held?.version ?? 0) ? 'lost' : 'known';
  return record.epoch > since ? 'lost' : 'known';
}

/** A recovery that was cut off has published what it saved, and nothing else of its epoch. */
const isOwn = <V>(record: TopicState<V>, held: HeldState<V> | undefined, epoch: number): boolean =>
  held !== undefined &&
  record.epoch === epoch &&
  record.version === held.version &&
  canonicalJson(record.view) === canonicalJson(held.view);
