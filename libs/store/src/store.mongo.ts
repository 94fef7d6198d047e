import type { Connection, mongo } from 'mongoose';
import type { Clock } from '@tidegate/kernel';
import { Calls } from './calls.mongo.ts';
import { MongoDocuments } from './documents.mongo.ts';
import type { Home } from './home.mongo.ts';
import type { Collection, Documents } from './documents.port.ts';
import { connect, layOut, type Meta, raiseEpoch, touch } from './layout.mongo.ts';
import type { Leases } from './leases.port.ts';
import { mongoLeases } from './leases.mongo.ts';
import { MongoProjection } from './projection.mongo.ts';
import type { Projection } from './projection.port.ts';
import type { Store } from './store.port.ts';

export interface MongoStoreOptions {
  /** `mongodb://…` or `mongodb+srv://…`; its database is `tidegate` if it names none. */
  readonly url: string;
  readonly clock: Clock;
  /** Stands before the names of all collections. */
  readonly prefix?: string;
  /** After which a call that has no answer rejects; 5 s. */
  readonly timeoutMs?: number;
  /** Nothing is made: Thrown STORE_MISSING. */
  readonly mustExist?: boolean;
}

/**
 * A store on a MongoDB-compatible server, for any number of processes. What it resolves is acknowledged by a majority.
 * It needs nothing but atomic updates of one document: no transactions, no replica set.
 * Thrown STORE_UNREACHABLE; STORE_SCHEMA_NEWER; STORE_FAILED, also for a server whose updates are not atomic.
 */
export async function openMongoStore({
  url,
  clock,
  prefix = '',
  timeoutMs = 5_000,
  mustExist = false,
}: MongoStoreOptions): Promise<MongoStore> {
  const connection = await connect(url, timeoutMs);
  const calls = new Calls(timeoutMs);
  try {
    const meta = inside(connection, prefix)<Meta>('store.meta');
    const epoch = await calls.run(() => layOut(meta, mustExist));
    return new MongoStore(connection, prefix, { calls, epoch, place: places(clock) }, clock);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

export class MongoStore implements Store {
  readonly epoch: number;
  readonly leases: Leases;
  readonly #connection: Connection;
  readonly #home: Home;
  readonly #clock: Clock;
  readonly #meta: mongo.Collection<Meta>;
  readonly #collection: ReturnType<typeof inside>;
  readonly #opened = new Map<object | string, { readonly prepare: () => Promise<void> }>();

  constructor(connection: Connection, prefix: string, home: Home, clock: Clock) {
    this.#connection = connection;
    this.#home = home;
    this.#clock = clock;
    this.#collection = inside(connection, prefix);
    this.#meta = this.#collection('store.meta');
    this.epoch = home.epoch;
    this.leases = mongoLeases(home, this.#collection('store.leases'), clock);
  }

  documents<S>(collection: Collection<S>): Documents<S> {
    return this.#once(
      collection,
      () => new MongoDocuments<S>(this.#home, this.#collection(collection.name), collection),
    );
  }

  projection<R>(name: string): Projection<R> {
    return this.#once(
      name,
      () => new MongoProjection<R>(this.#home, this.#collection(`${name}.entries`), name),
    );
  }

  check(): Promise<void> {
    return this.#home.calls.run(async () => {
      await Promise.all([...this.#opened.values()].map(({ prepare }) => prepare()));
      await touch(this.#meta, this.#clock.now());
    });
  }

  /**
   * For an operator, after an older backup was put back: the next start counts everything as newer than what was
   * published before. Returns the new epoch; this store itself goes on with the old one and should be closed.
   */
  raiseEpoch(): Promise<number> {
    return this.#home.calls.run(() => raiseEpoch(this.#meta));
  }

  async close(): Promise<void> {
    await this.#home.calls.end();
    await this.#connection.close();
  }

  /** The same object each time: what one knows of a document, another must not have to ask for. */
  #once<T extends { readonly prepare: () => Promise<void> }>(
    name: object | string,
    make: () => T,
  ): T {
    const found = this.#opened.get(name) ?? make();
    this.#opened.set(name, found);
    return found as T;
  }
}

const inside =
  (connection: Connection, prefix: string) =>
  <R extends mongo.BSON.Document>(name: string): mongo.Collection<R> =>
    connection.getClient().db(connection.name).collection<R>(`${prefix}${name}`);

/** µs since 1970, greater each time: orders what one process does within a millisecond. */
function places(clock: Clock): () => number {
  let last = 0;
  return () => {
    last = Math.max(last + 1, Math.floor(clock.now() * 1_000));
    return last;
  };
}
