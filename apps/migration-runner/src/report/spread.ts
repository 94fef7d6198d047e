import type { Key } from '../target/target.port.ts';
import { type KeySpace, spaceOf } from './key-space.ts';

/** Where no document was seen yet: keys greater than `from` and at most those at `to`. */
interface Gap {
  readonly from: bigint;
  readonly to: bigint;
}
/** Keys of one type. */
interface Stretch {
  readonly space: KeySpace;
  gaps: readonly Gap[];
  asked: number;
}

/**
 * Finds keys that are spread over the whole range, whatever gaps it has: the widest gap is halved by asking for the next
 * document after its middle, until enough are found or no gap is left. Keys of several types take turns.
 */
export interface Spread {
  /** After which key to ask for a document next; undefined: there is nothing left to look into. */
  next(): Key | undefined;
  /** What came for it; undefined: no document has a greater key. True if it was not met before. */
  met(key: Key | undefined): boolean;
}

/** @param first the least key that there is */
export function spreadFrom(first: Key): Spread {
  const stretches: Stretch[] = [];
  const seen = new Set<Key>();
  let asked: { readonly stretch: Stretch; readonly gap: Gap; readonly middle: bigint } | undefined;
  const begin = (key: Key): void => {
    const space = spaceOf(key);
    if (!space || stretches.some((each) => each.space === space)) return;
    stretches.push({ space, gaps: [{ from: space.place(key), to: space.end }], asked: 0 });
  };
  const isNew = (key: Key): boolean => !seen.has(key) && seen.add(key) !== undefined;
  begin(first);
  seen.add(first);
  return {
    next() {
      const open = stretches.filter(({ gaps }) => gaps.length > 0);
      const stretch = open.reduce<Stretch | undefined>(
        (least, each) => (least && least.asked <= each.asked ? least : each),
        undefined,
      );
      const gap = stretch?.gaps.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
      if (!stretch || !gap) return undefined;
      const middle = (gap.from + gap.to) / 2n;
      stretch.asked += 1;
      asked = { stretch, gap, middle };
      return stretch.space.at(middle);
    },
    met(key) {
      if (!asked) return false;
      const { stretch, gap, middle } = asked;
      const isOfSpace = key !== undefined && spaceOf(key) === stretch.space;
      // A key that begins like the one asked for, or a fraction, has the same place.
      const place = isOfSpace ? larger(stretch.space.place(key), middle + 1n) : gap.to;
      stretch.gaps = [
        ...stretch.gaps.filter((each) => each !== gap),
        { from: gap.from, to: middle },
        { from: place, to: gap.to },
      ].filter(({ from, to }) => to > from);
      if (key === undefined) return false;
      if (!isOfSpace) begin(key);
      return isNew(key);
    },
  };
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
