import { isAppError } from '@tidegate/kernel';
import type { Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
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
  const step = Math.max(1, total / wanted);
  if (total <= Math.max(FEW, 4 * wanted) || wanted > FEW)
    return yield* everySoMany(reader, selection, step);
  const found = new Set<Key>();
  for await (const each of between(reader, selection, wanted)) {
    found.add(each.key);
    yield each;
  }
  // Keys of a type that cannot be placed, or that begin alike.
  if (found.size < wanted / 2)
    for await (const each of everySoMany(reader, selection, step))
      if (!found.has(each.key)) yield each;
}

async function* between(reader: Reader, selection: Selection, wanted: number) {
  const first = (await after(reader, selection, undefined, 1))[0];
  if (!first) return;
  yield first;
  const spread = spreadFrom(first.key);
  for (let [found, asked] = [1, 0]; found < wanted && asked < 4 * wanted + 200; asked += 1) {
    const key = spread.next();
    if (key === undefined) return;
    const next = (await after(reader, selection, key, 1))[0];
    if (!spread.met(next?.key) || !next) continue;
    found += 1;
    yield next;
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
export async function lastKeyOf(reader: Reader, selection: Selection): Promise<Key | undefined> {
  const lastAfter = async (key: Key | undefined): Promise<Key | undefined> =>
    (await after(reader, selection, key, TAIL)).at(-1)?.key;
  let last = await lastAfter(undefined);
  let space = last === undefined ? undefined : spaceOf(last);
  let end = space?.end ?? 0n;
  while (last !== undefined && space && end > space.place(last)) {
    const middle = (space.place(last) + end) / 2n;
    const key = await lastAfter(space.at(middle));
    const found = key === undefined ? undefined : spaceOf(key);
    if (found === space && space.place(key as Key) > space.place(last)) last = key as Key;
    else if (found === space || found === undefined) end = middle;
    else [last, space, end] = [key as Key, found, found.end];
  }
  // Keys that begin alike, or are in an order of the server's own, are not found like that.
  return last !== undefined && (await lastAfter(last)) === undefined ? last : undefined;
}

/** What follows a key; nothing where it is one that the column's type has no value for, as it is beyond them all. */
async function after(
  { target, shift }: Reader,
  selection: Selection,
  key: Key | undefined,
  limit: number,
): Promise<readonly Keyed[]> {
  await goOn(shift);
  const keyed = (row: Row): Keyed => ({ key: target.keyOf(selection, row), row });
  try {
    return (await target.page(selection, key, limit)).map(keyed);
  } catch (error) {
    const isRefused =
      isAppError(error) && error.code === ('MIGRATION_TARGET_FAILED' satisfies MigrationErrorCode);
    if (isRefused && key !== undefined) return [];
    throw error;
  }
}
