import type { Origin } from '@tidegate/bus';

/** How far a partition is recorded: everything of `incarnation` before offset `next`. */
export interface Cursor {
  readonly incarnation: number;
  readonly next: bigint;
}

export const partitionKey = ({ topic, partition }: Pick<Origin, 'topic' | 'partition'>): string =>
  `${topic}/${partition}`;

/** The records that a log with these cursors needs next. */
export const nextOf = (cursors: ReadonlyMap<string, Cursor>): readonly Origin[] =>
  [...cursors].map(([key, { incarnation, next }]) => {
    const slash = key.lastIndexOf('/');
    const [topic, partition] = [key.slice(0, slash), Number(key.slice(slash + 1))];
    return { topic, partition, incarnation, offset: next };
  });

/** What a record is to the log: `known` already, `next` in its partition, or the first one after a gap. */
export type Standing =
  | { readonly status: 'known' | 'next' }
  | {
      readonly status: 'after-gap';
      readonly from: Pick<Origin, 'incarnation' | 'offset'>;
      /** How many are missing; unknown when the topic was made anew. */
      readonly missing: bigint | null;
    };

/**
 * Records of a partition come in order, so what stands before the cursor is recorded. Offsets begin at 0:
 * a topic seen for the first time at a later one has lost its beginning to retention.
 */
export function standingOf(cursor: Cursor | undefined, { incarnation, offset }: Origin): Standing {
  const expected = cursor ?? { incarnation, next: 0n };
  if (incarnation < expected.incarnation) return { status: 'known' };
  if (incarnation > expected.incarnation)
    return {
      status: 'after-gap',
      from: { incarnation: expected.incarnation, offset: expected.next },
      missing: null,
    };
  if (offset < expected.next) return { status: 'known' };
  if (offset === expected.next) return { status: 'next' };
  return {
    status: 'after-gap',
    from: { incarnation, offset: expected.next },
    missing: offset - expected.next,
  };
}
