import type { mongo } from 'mongoose';
import { messageOf } from '@tidegate/kernel';
import { type Edit, type Row, valueAt } from '@tidegate/migration';
import { WRITE_MS, type Written } from '../target/target.port.ts';
import { documentsOf, isWritten } from './bson.mongo.ts';
import { isRefusal, named } from './failure.mongo.ts';
import { keyOf } from './keys.mongo.ts';
import { type Update, unwritable, updateOf } from './update.mongo.ts';

/** All in one command, in no order; what became of each is asked for only if not all were written. */
export async function writeAll(
  collection: mongo.Collection,
  edits: readonly Edit[],
  hasExpressions: boolean,
): Promise<readonly Written[]> {
  const sent = edits.filter(({ changes }) => changes.length > 0);
  const writable = sent.filter((edit) => unwritable(edit) === undefined);
  const written = await send(collection, writable, hasExpressions);
  const results = new Map(writable.map((edit, index) => [edit, written[index]]));
  const all: Written[] = [];
  for (const edit of edits) {
    const refused = unwritable(edit);
    all.push(
      refused === undefined
        ? (results.get(edit) ?? (await unchanged(collection, edit, hasExpressions)))
        : { refused },
    );
  }
  return all;
}

/** An edit without changes, for which there is no update. */
async function unchanged(
  collection: mongo.Collection,
  edit: Edit,
  hasExpressions: boolean,
): Promise<Written> {
  const found = await collection.findOne(updateOf(edit, hasExpressions).filter);
  return found ? 'written' : 'conflict';
}

async function send(
  collection: mongo.Collection,
  edits: readonly Edit[],
  hasExpressions: boolean,
): Promise<readonly Written[]> {
  if (edits.length === 0) return [];
  const updates = edits.map((edit) => updateOf(edit, hasExpressions));
  try {
    const { matchedCount } = await collection.bulkWrite(
      updates.map((updateOne) => ({ updateOne })),
      { ordered: false, timeoutMS: WRITE_MS },
    );
    if (matchedCount === edits.length) return edits.map(() => 'written');
    if (matchedCount === 0) return edits.map(() => 'conflict');
    const areThere = await written(collection, edits);
    return areThere.map((isThere) => (isThere ? 'written' : 'conflict'));
  } catch (error) {
    if (!isRefusal(error)) throw named(error);
    return oneByOne(collection, edits, updates);
  }
}

/**
 * After a document was refused. FerretDB 1.24 ends the whole command with it, and counts nothing: what is not there is
 * tried again by itself.
 */
async function oneByOne(
  collection: mongo.Collection,
  edits: readonly Edit[],
  updates: readonly Update[],
): Promise<readonly Written[]> {
  const areThere = await written(collection, edits);
  const results: Written[] = [];
  for (const [index, { filter, update }] of updates.entries())
    results.push(areThere[index] ? 'written' : await writeOne(collection, filter, update));
  return results;
}

async function writeOne(
  collection: mongo.Collection,
  filter: mongo.Document,
  update: mongo.Document,
): Promise<Written> {
  try {
    const { matchedCount } = await collection.updateOne(filter, update, { timeoutMS: WRITE_MS });
    return matchedCount > 0 ? 'written' : 'conflict';
  } catch (error) {
    if (!isRefusal(error)) throw named(error);
    return { refused: messageOf(error) };
  }
}

/** Of each edit, whether what it changes is as it makes it. */
async function written(
  collection: mongo.Collection,
  edits: readonly Edit[],
): Promise<readonly boolean[]> {
  const ids = edits.map(({ before }) => before['_id']);
  const found = await collection
    .find({ _id: { $in: ids } } as mongo.Filter<mongo.Document>, { raw: true })
    .toArray();
  const byId = new Map<string, Row>(documentsOf(found).map((row) => [idOf(row), row]));
  return edits.map(({ before, changes }) => {
    const now = byId.get(idOf(before));
    return (
      now !== undefined && changes.every(({ path, value }) => isWritten(valueAt(now, path), value))
    );
  });
}

const idOf = (row: Row): string => String(keyOf({ collection: '', filters: [] }, row));
