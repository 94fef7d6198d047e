import type { mongo } from 'mongoose';
import { AppError } from '@tidegate/kernel';
import type { Row } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import { documentsOf, pack, unpack } from '../mongo/bson.mongo.ts';
import { mongoConnection } from '../mongo/connection.mongo.ts';
import { named } from '../mongo/failure.mongo.ts';
import { following, keyField, keyOf, keyValue } from '../mongo/keys.mongo.ts';
import { queryOf } from '../mongo/query.mongo.ts';
import { mongoSchema } from '../mongo/schema.mongo.ts';
import { healthOf, readingOf, serverOf } from '../mongo/server.mongo.ts';
import { writeAll } from '../mongo/write.mongo.ts';
import { type Key, type Selection, type Target, WRITE_MS } from './target.port.ts';
import { notUnique, uniquePage } from './unique-keys.ts';

const DOCUMENT_LIMIT = 16 * 1_048_576;

/**
 * A database of a MongoDB-compatible server, connected to when it is first asked. It needs nothing but atomic updates of
 * one document.
 */
export function openMongoTarget(url: string, access: 'read' | 'write'): Target {
  const connection = mongoConnection(url, access);
  const isAbsent = access === 'read' ? absences() : async () => false;
  const attempt = async <T>(work: (db: mongo.Db) => Promise<T>): Promise<T> => {
    try {
      return await work(await connection.db());
    } catch (error) {
      throw named(error);
    }
  };
  return {
    server: () => attempt((db) => serverOf(db, access)),
    count: (selection) =>
      attempt(async (db) => {
        const { collection, filters } = selection;
        const count = await db.collection(collection).countDocuments(queryOf(filters));
        if (count === 0) await mustExist(db, collection);
        return count;
      }),
    page: (selection, after, limit) =>
      attempt((db) => page(db, selection, { after, limit, isAbsent })),
    find: (selection, keys) => attempt((db) => find(db, selection, keys)),
    keyOf,
    write: ({ collection: name }, edits) => {
      const startedAt = performance.now();
      return attempt(async (db) => {
        if (access === 'read') throw readOnly();
        const hasExpressions = await connection.hasExpressions(name);
        const leftMs = (): number => WRITE_MS - (performance.now() - startedAt);
        return writeAll({ collection: db.collection(name), hasExpressions, leftMs }, edits);
      });
    },
    readBy: (selection) => attempt((db) => readingOf(db, selection)),
    health: () => attempt(healthOf),
    pack,
    unpack,
    hasColumns: false,
    schema: mongoSchema(attempt),
    documentLimit: DOCUMENT_LIMIT,
    close: () => connection.close(),
  };
}

const readOnly = (): AppError<MigrationErrorCode> =>
  new AppError('MIGRATION_TARGET_FAILED', 'The connection is for reading only.');

interface Page {
  readonly after: Key | undefined;
  readonly limit: number;
  readonly isAbsent: ReturnType<typeof absences>;
}

async function page(
  db: mongo.Db,
  selection: Selection,
  { after, limit, isAbsent }: Page,
): Promise<readonly Row[]> {
  const query = queryOf(selection.filters);
  const [first, later] = after === undefined ? [{}] : following(selection, after);
  const most = keyField(selection) === '_id' ? limit : limit + 1; // no two have the same `_id`
  const rows = [...(await inOrder(db, selection, both(first, query), most))];
  if (later && rows.length < most && !(await isAbsent(db, selection, later)))
    rows.push(...(await inOrder(db, selection, both(later, query), most - rows.length)));
  if (rows.length === 0 && after === undefined) await mustExist(db, selection.collection);
  return uniquePage(selection, rows, { limit, keyOf });
}

const ABSENT_MS = 5_000;

/**
 * Whether a collection has no keys of these types, as of some seconds ago: a dry run looks for its last keys again and
 * again, and a server may read everything for the answer. Not for writing: what comes meanwhile must be found there.
 */
function absences() {
  const seen = new Map<string, number>();
  return async (
    db: mongo.Db,
    { collection }: Selection,
    keys: mongo.Document,
  ): Promise<boolean> => {
    const name = JSON.stringify([collection, keys]);
    if (performance.now() - (seen.get(name) ?? -Infinity) < ABSENT_MS) return true;
    const found = db.collection(collection).find(keys, { projection: { _id: 1 } });
    const isAbsent = !(await found.limit(1).hasNext());
    if (isAbsent) seen.set(name, performance.now());
    return isAbsent;
  };
}

/** The key outermost, where every server finds it; a filter may be about it, too. */
const both = (key: mongo.Document, query: mongo.Document): mongo.Document =>
  Object.keys(query).some((name) => name in key) ? { ...key, $and: [query] } : { ...key, ...query };

async function inOrder(
  db: mongo.Db,
  selection: Selection,
  query: mongo.Document,
  limit: number,
): Promise<readonly Row[]> {
  const found = await db
    .collection(selection.collection)
    .find(query, { raw: true, batchSize: limit + 1 })
    .sort({ [keyField(selection)]: 1 })
    .limit(limit)
    .toArray();
  return documentsOf(found);
}

async function find(
  db: mongo.Db,
  selection: Selection,
  keys: readonly Key[],
): Promise<readonly Row[]> {
  if (keys.length === 0) return [];
  const query = both(
    { [keyField(selection)]: { $in: keys.map(keyValue) } },
    queryOf(selection.filters),
  );
  const found = await db.collection(selection.collection).find(query, { raw: true }).toArray();
  const byKey = byKeyOf(selection, documentsOf(found));
  return keys.flatMap((key) => {
    const row = byKey.get(key);
    return row ? [row] : [];
  });
}

/** What is written goes by `_id`: no server refuses what has its key with another. */
function byKeyOf(selection: Selection, rows: readonly Row[]): ReadonlyMap<Key, Row> {
  const byKey = new Map(rows.map((row) => [keyOf(selection, row), row]));
  if (byKey.size === rows.length) return byKey;
  throw notUnique(selection, '_id');
}

/** MongoDB answers for a collection that is not there as for an empty one. */
async function mustExist(db: mongo.Db, name: string): Promise<void> {
  if (await db.listCollections({ name }, { nameOnly: true }).hasNext()) return;
  throw new AppError<MigrationErrorCode>(
    'MIGRATION_TARGET_FAILED',
    `There is no collection ${name} in the database ${db.databaseName}.`,
  );
}
