import type { Origin } from './bus.port.ts';

/** What a group keeps beside each committed offset, as the commit's metadata: `{"i":1790000000,"o":1,"a":[42,2]}`. */
export interface Mark {
  /** Raised when the partition's log was made anew; the second in which that was noticed. */
  readonly incarnation: number;
  /** A member has the partition in hand: whoever finds it so knows that the member before ended uncleanly. */
  readonly isOpen: boolean;
  /** Attempts that were begun, one record at a time, after an unclean end. */
  readonly attempt?: { readonly offset: number; readonly count: number };
}

export const markText = ({ incarnation, isOpen, attempt }: Mark): string =>
  JSON.stringify({
    i: incarnation,
    ...(isOpen ? { o: 1 } : {}),
    ...(attempt ? { a: [attempt.offset, attempt.count] } : {}),
  });

/** Undefined for what is not ours, such as an offset that an operator has set by hand. */
export function readMark(text: string | null): Mark | undefined {
  const match = /^\{"i":(\d+)(,"o":1)?(?:,"a":\[(\d+),(\d+)\])?\}$/.exec(text ?? '');
  if (!match) return undefined;
  const [, incarnation, open, offset, count] = match;
  return {
    incarnation: Number(incarnation),
    isOpen: open !== undefined,
    ...(offset === undefined ? {} : { attempt: { offset: Number(offset), count: Number(count) } }),
  };
}

export interface Known {
  readonly next: number;
  readonly incarnation: number;
}

export interface Found {
  /** What this process knows of the partition from before. */
  readonly own: (Known & { readonly wasCommitted: boolean }) | undefined;
  /** What the group has committed; the incarnation is missing where an operator has set the offset. */
  readonly committed: { readonly next: number; readonly incarnation?: number } | undefined;
  /** Offsets of the oldest record that is kept, and of the next one to be written. */
  readonly low: number;
  readonly high: number;
  /** The log was seen to begin again. */
  readonly isRewound: boolean;
  readonly now: number;
}

export interface Resumption extends Known {
  /** Records that nobody of the group has handled and that are no longer there. */
  readonly lost: number;
  readonly isRemade: boolean;
}

/**
 * Where a group goes on in a partition. A log that ends before the group's position, or whose committed offset is gone
 * with it, was made anew: then everything in it is new, and its offsets need another incarnation.
 */
export function resumeAt({ own, committed, low, high, isRewound, now }: Found): Resumption {
  const incarnation = Math.max(own?.incarnation ?? 0, committed?.incarnation ?? 0);
  const second = Math.max(1, Math.floor(now / 1_000));
  const base = Math.max(own?.next ?? -1, committed?.next ?? -1);
  const isGone = own !== undefined && own.wasCommitted && own.next > 0 && committed === undefined;
  if (isRewound || base > high || isGone)
    return { next: low, incarnation: Math.max(incarnation + 1, second), lost: 0, isRemade: true };
  const known = { incarnation: incarnation === 0 ? second : incarnation, isRemade: false };
  if (base < 0) return { ...known, next: low, lost: 0 };
  return { ...known, next: Math.max(base, low), lost: Math.max(0, low - base) };
}

/**
 * The position that a reader gives a partition, in place of what its group has committed; the beginning if it gives
 * none, or one from before the partition was made anew.
 */
export function placedAt<C extends { readonly incarnation?: number }>(
  from: readonly Origin[],
  { topic, partition }: Pick<Origin, 'topic' | 'partition'>,
  committed: C | undefined,
): C & { readonly next: number; readonly incarnation?: number } {
  const known = from.find((each) => each.topic === topic && each.partition === partition);
  const others = committed as C;
  return known && known.incarnation >= (committed?.incarnation ?? 0)
    ? { ...others, next: Number(known.offset), incarnation: known.incarnation }
    : { ...others, next: -1 };
}

/** How a partition stands where a member goes on. `isPlaced`: its reader has said where that is. */
export interface Settling {
  readonly low: number;
  readonly high: number;
  readonly isPlaced: boolean;
}

export const lossOf = (partition: number, lost: number): string =>
  `lost ${lost} records of partition ${partition}: retention removed them unhandled.`;

/** What people must know of it, if anything. */
export function newsOf(
  partition: number,
  { isRemade, lost, next }: Resumption,
): string | undefined {
  if (isRemade) return `found partition ${partition} made anew: it is read from ${next} on.`;
  return lost > 0 ? lossOf(partition, lost) : undefined;
}
