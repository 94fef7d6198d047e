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
  const tailAfter = (key: Key | undefined) => after(reader, selection, key, TAIL);
  const isAll = (tail: readonly Keyed[]) => tail.length > 0 && tail.length < TAIL;
  let tail = await tailAfter(undefined);
  let last = tail.at(-1)?.key;
  let space = last === undefined ? undefined : spaceOf(last);
  let end = space?.end ?? 0n;
  while (!isAll(tail) && last !== undefined && space && end > space.place(last)) {
    const middle = (space.place(last) + end) / 2n;
    tail = await tailAfter(space.at(middle));
    const key = tail.at(-1)?.key;
    const found = key === undefined ? undefined : spaceOf(key);
    if (key === undefined || (found === space && space.place(key) <= space.place(last)))
      end = middle;
    else if (found === space) last = key;
    else [last, space, end] = [key, found, found?.end ?? 0n];
  }
  if (isAll(tail)) return tail.at(-1)?.key;
  // Keys that begin alike, or are in an order of the server's own, are not found like that.
  return last !== undefined && (await tailAfter(last)).length === 0 ? last : undefined;
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
