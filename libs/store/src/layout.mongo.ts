import { randomUUID } from 'node:crypto';
import type { Connection, mongo } from 'mongoose';
import { AppError } from '@tidegate/kernel';
import type { StoreErrorCode } from './errors.ts';
import { storeMissing } from './document.ts';
import { isDuplicateKey, nameFailure } from './failure.mongo.ts';

/** Of the collections and their documents. */
const LAYOUT = 1;
const STORE = 'store';

/** What belongs to the store as a whole: one document, made by whoever comes first. */
export interface Meta {
  readonly _id: string;
  readonly layout?: number;
  readonly epoch?: number;
  readonly checkedAt?: number;
  readonly count?: number;
}

/** Thrown STORE_UNREACHABLE, or STORE_FAILED for a bad address or wrong credentials. */
export async function connect(url: string, timeoutMs: number): Promise<Connection> {
  // Only who uses such a store pays for the driver.
  const { createConnection } = (await import('mongoose')).default;
  const connection = createConnection();
  try {
    await connection.openUri(url, {
      ...(namesDatabase(url) ? {} : { dbName: 'tidegate' }),
      appName: 'tidegate',
      autoCreate: false,
      autoIndex: false,
      bufferCommands: false,
      readPreference: 'primary',
      writeConcern: { w: 'majority', journal: true },
      connectTimeoutMS: timeoutMs,
      serverSelectionTimeoutMS: timeoutMs,
      socketTimeoutMS: timeoutMs,
      waitQueueTimeoutMS: timeoutMs,
    });
    return connection;
  } catch (error) {
    await connection.close();
    throw nameFailure(error);
  }
}

const namesDatabase = (url: string): boolean => /^[^/]+:\/\/[^/]+\/[^?]/.test(url);

/**
 * Returns the store's epoch; makes the store in an empty database, unless it must exist.
 * Thrown STORE_SCHEMA_NEWER; STORE_MISSING; STORE_FAILED for a server that cannot hold a store.
 */
export async function layOut(meta: mongo.Collection<Meta>, mustExist: boolean): Promise<number> {
  const known = await meta.findOne({ _id: STORE });
  if (!known && mustExist) throw storeMissing(`The database ${meta.dbName} has none.`);
  const found = known ?? (await begin(meta));
  const { layout = 0, epoch = 0 } = found;
  if (layout > LAYOUT)
    throw new AppError<StoreErrorCode>(
      'STORE_SCHEMA_NEWER',
      `The store was written by a newer release (layout ${layout}, known up to ${LAYOUT}).`,
    );
  return epoch;
}

async function begin(meta: mongo.Collection<Meta>): Promise<Meta> {
  await proveAtomic(meta);
  const first = { _id: STORE, layout: LAYOUT, epoch: 1 };
  try {
    await meta.insertOne({ ...first });
    return first;
  } catch (error) {
    const found = isDuplicateKey(error) ? await meta.findOne({ _id: STORE }) : null;
    if (!found) throw error;
    return found;
  }
}

const WRITERS = 8;
const ROUNDS = 3;

/**
 * Everything here rests on updates of one document being atomic. Not every server that speaks the protocol keeps
 * that promise: FerretDB 1 loses most of these.
 */
async function proveAtomic(meta: mongo.Collection<Meta>): Promise<void> {
  const probe = { _id: `probe ${randomUUID()}` };
  await meta.insertOne({ ...probe, count: 0 });
  for (let round = 0; round < ROUNDS; round += 1)
    await Promise.all(
      Array.from({ length: WRITERS }, () => meta.updateOne(probe, { $inc: { count: 1 } })),
    );
  const count = (await meta.findOne(probe))?.count;
  await meta.deleteOne(probe);
  if (count !== WRITERS * ROUNDS)
    throw new AppError<StoreErrorCode>(
      'STORE_FAILED',
      `This server cannot hold a store: of ${WRITERS * ROUNDS} updates of one document it kept ${count}. FerretDB 1 is such a server; MongoDB, DocumentDB and FerretDB 2 are not.`,
      { data: { updates: WRITERS * ROUNDS, kept: count } },
    );
}

/** Resolves if a read and a write work. */
export async function touch(meta: mongo.Collection<Meta>, now: number): Promise<void> {
  const { matchedCount } = await meta.updateOne({ _id: STORE }, { $set: { checkedAt: now } });
  if (matchedCount === 0 || !(await meta.findOne({ _id: STORE })))
    throw new AppError<StoreErrorCode>(
      'STORE_FAILED',
      'The database is no store any more: somebody has emptied it. Restart to begin anew.',
    );
}

/** Returns the epoch that holds from the next start on. */
export async function raiseEpoch(meta: mongo.Collection<Meta>): Promise<number> {
  const raised = await meta.findOneAndUpdate(
    { _id: STORE },
    { $inc: { epoch: 1 } },
    { returnDocument: 'after' },
  );
  return raised?.epoch ?? 0;
}
