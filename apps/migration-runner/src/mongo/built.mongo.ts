import type { mongo } from 'mongoose';
import type { SchemaMigration } from '@tidegate/migration';

/** An index has no comment: who built it is kept beside it, in the same database. */
const MARKS = 'tidegate_schema';

interface Mark {
  readonly _id: string;
  readonly migration: string;
  readonly collection: string;
  readonly index: string;
}

const idOf = ({ collection }: SchemaMigration, index: string): string => `${collection} ${index}`;

/** Before it is built: what a crash leaves behind without a mark would never be taken away. */
export async function markBuilt(
  db: mongo.Db,
  migration: SchemaMigration,
  index: string,
): Promise<void> {
  const { id, collection } = migration;
  const _id = idOf(migration, index);
  const mark = { migration: id, collection, index };
  await db.collection<Mark>(MARKS).replaceOne({ _id }, mark, { upsert: true });
}

export async function forgetBuilt(
  db: mongo.Db,
  migration: SchemaMigration,
  index: string,
): Promise<void> {
  await db.collection<Mark>(MARKS).deleteOne({ _id: idOf(migration, index) });
}

/** The names of indexes that this migration, and nothing before it, has built. */
export async function builtBy(
  db: mongo.Db,
  { id, collection }: SchemaMigration,
): Promise<ReadonlySet<string>> {
  const marks = await db.collection<Mark>(MARKS).find({ migration: id, collection }).toArray();
  return new Set(marks.map(({ index }) => index));
}
