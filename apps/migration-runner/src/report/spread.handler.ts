import type { Key, Selection } from '../target/target.port.ts';
import { spaceOf } from './key-space.ts';
import { everyOf, type Keyed, type Reader } from './read.handler.ts';
import { goOn } from './shift-ended.handler.ts';
import { spreadFrom } from './spread.ts';

const FEW = 1_000;
const TAIL = 10;

/**
 * So many documents, spread over the whole range of keys, without reading what lies between.
 * @param total how many there are; where that is little they are all read, and every so many-th is taken
 */
export async function* spreadOver(
  reader: Reader,
  selection: Selection,
  { total, wanted }: { readonly total: number; readonly wanted: number },
): AsyncGenerator<Keyed> {
  const [first] = await reader.target.page(selection, undefined, 1);
  const firstKey = first && reader.target.keyOf(selection, first);
  if (!first || firstKey === undefined) return;
  if (total <= Math.max(FEW, 4 * wanted) || wanted > FEW || !spaceOf(firstKey))
    return yield* everySoMany(reader, selection, Math.max(1, total / wanted));
  yield { key: firstKey, row: first };
  yield* between(reader, selection, firstKey, wanted - 1);
}

async function* between(reader: Reader, selection: Selection, first: Key, wanted: number) {
  const { target, shift } = reader;
  const spread = spreadFrom(first);
  let found = 0;
  for (let asked = 0; found < wanted && asked < 4 * wanted + 200; asked += 1) {
    await goOn(shift);
    const after = spread.next();
    if (after === undefined) return;
    const [row] = await target.page(selection, after, 1);
    const key = row && target.keyOf(selection, row);
    if (!spread.met(key) || !row || key === undefined) continue;
    found += 1;
    yield { key, row };
  }
}

async function* everySoMany(reader: Reader, selection: Selection, step: number) {
  let [read, taken] = [0, 0];
  for await (const each of everyOf(reader, selection)) {
    if (read >= Math.floor(taken * step)) {
      taken += 1;
      yield each;
    }
    read += 1;
  }
}

/** The greatest key, found by halving; undefined where there is none, or keys cannot be placed. */
export async function lastKeyOf(
  { target, shift }: Reader,
  selection: Selection,
): Promise<Key | undefined> {
  const after = async (key: Key | undefined): Promise<Key | undefined> => {
    await goOn(shift);
    const row = (await target.page(selection, key, TAIL)).at(-1);
    return row && target.keyOf(selection, row);
  };
  let last = await after(undefined);
  let space = last === undefined ? undefined : spaceOf(last);
  let end = space?.end ?? 0n;
  while (last !== undefined && space && end > space.place(last)) {
    const middle = (space.place(last) + end) / 2n;
    const key = await after(space.at(middle));
    const found = key === undefined ? undefined : spaceOf(key);
    if (found === space && space.place(key as Key) > space.place(last)) last = key as Key;
    else if (found === space || found === undefined) end = middle;
    else [last, space, end] = [key as Key, found, found.end];
  }
  // Keys that begin alike, or are in an order of the server's own, are not found like that.
  return last !== undefined && (await after(last)) === undefined ? last : undefined;
}
