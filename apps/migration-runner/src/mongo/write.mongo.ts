import type { mongo } from 'mongoose';
import { AppError, messageOf } from '@tidegate/kernel';
import { type Edit, type Row, valueAt } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Written } from '../target/target.port.ts';
import { documentsOf, isWritten } from './bson.mongo.ts';
import { isRefusal, named } from './failure.mongo.ts';
import { keyOf } from './keys.mongo.ts';
import { unwritable, updateOf } from './update.mongo.ts';

/** What edits are written by. */
export interface Writer {
  readonly collection: mongo.Collection;
  /** Whether the server computes in a filter. */
  readonly hasExpressions: boolean;
  /** Milliseconds until all of it must be given up, whatever is not written yet. */
  readonly leftMs: () => number;
}

/** All in one command, in no order; what became of each is asked for only if not all were written. */
export async function writeAll(
  writer: Writer,
  edits: readonly Edit[],
): Promise<readonly Written[]> {
  const sent = edits.filter(({ changes }) => changes.length > 0);
  const writable = sent.filter((edit) => unwritable(edit) === undefined);
  const written = await send(writer, writable);
  const results = new Map(writable.map((edit, index) => [edit, written[index]]));
  const all: Written[] = [];
  for (const edit of edits) {
    const refused = unwritable(edit);
    all.push(
      refused === undefined ? (results.get(edit) ?? (await unchanged(writer, edit))) : { refused },
    );
  }
  return all;
}

/** For a command: however many there are, together they take no longer than the first might have. */
function timeoutMS({ leftMs }: Writer): number {
  const left = Math.floor(leftMs());
  if (left > 0) return left;
  throw new AppError<MigrationErrorCode>(
    'MIGRATION_TARGET_UNREACHABLE',
    'The database does not work now: it took too long to write a batch; write fewer documents at once.',
    { retryable: true },
  );
}

/** An edit without changes, for which there is no update. */
async function unchanged(writer: Writer, edit: Edit): Promise<Written> {
  const { filter } = updateOf(edit, writer.hasExpressions);
  const options = { timeoutMS: timeoutMS(writer) };
  return (await writer.collection.findOne(filter, options)) ? 'written' : 'conflict';
}

async function send(writer: Writer, edits: readonly Edit[]): Promise<readonly Written[]> {
  if (edits.length === 0) return [];
  const updates = edits.map((edit) => ({ updateOne: updateOf(edit, writer.hasExpressions) }));
  const options = { ordered: false, timeoutMS: timeoutMS(writer) };
  try {
    const { matchedCount } = await writer.collection.bulkWrite(updates, options);
    if (matchedCount === edits.length) return edits.map(() => 'written');
    if (matchedCount === 0) return edits.map(() => 'conflict');
  } catch (error) {
    if (!isRefusal(error)) throw named(error);
    return edits.length === 1 ? [{ refused: messageOf(error) }] : inHalves(writer, edits);
  }
  const areThere = await written(writer, edits);
  return areThere.map((isThere) => (isThere ? 'written' : 'conflict'));
}

/**
 * After a document was refused. FerretDB 1.24 ends the whole command with it, and counts nothing: what is not there is
 * tried again, half of it at a time, so that few commands find the few that are refused.
 */
async function inHalves(writer: Writer, edits: readonly Edit[]): Promise<readonly Written[]> {
  const areThere = await written(writer, edits);
  const open = edits.filter((_edit, index) => !areThere[index]);
  const half = Math.ceil(open.length / 2);
  const first = await send(writer, open.slice(0, half));
  const results = [...first, ...(await send(writer, open.slice(half)))].values();
  return areThere.map((isThere) => (isThere ? 'written' : (results.next().value as Written)));
}

/** Of each edit, whether what it changes is as it makes it. */
async function written(writer: Writer, edits: readonly Edit[]): Promise<readonly boolean[]> {
  const ids = edits.map(({ before }) => before['_id']);
  const options = { raw: true, timeoutMS: timeoutMS(writer) };
  const found = await writer.collection
    .find({ _id: { $in: ids } } as mongo.Filter<mongo.Document>, options)
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
