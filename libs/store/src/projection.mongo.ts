import type { mongo } from 'mongoose';
import { once } from './calls.mongo.ts';
import type { Home } from './home.mongo.ts';
import { isDuplicateKey } from './failure.mongo.ts';
import type { Entry, Projection } from './projection.port.ts';
import { stateText } from './size.ts';

/** Oldest first needs an order, and a deletion has none: it goes in steps, each of which is quick. */
const FORGOTTEN_AT_ONCE = 200;

/** An entry at rest; `_id` is `[id, key]` as JSON, so that no two have both. */
export interface EntryRow {
  readonly _id: string;
  readonly id: string;
  readonly version: number;
  readonly key: string;
  readonly at: number;
  readonly record: string;
  /** Orders the entries of one version by arrival. */
  readonly place: number;
}

export class MongoProjection<R> implements Projection<R> {
  readonly prepare: () => Promise<void>;
  readonly #home: Home;
  readonly #rows: mongo.Collection<EntryRow>;
  readonly #name: string;

  constructor(home: Home, rows: mongo.Collection<EntryRow>, name: string) {
    this.#home = home;
    this.#rows = rows;
    this.#name = name;
    this.prepare = once(async () => {
      await rows.createIndex({ id: 1, version: 1, place: 1 });
    });
  }

  async append(entries: readonly Entry<R>[]): Promise<number> {
    const rows = entries.map(({ record, ...entry }) => ({
      ...entry,
      _id: JSON.stringify([entry.id, entry.key]),
      record: stateText(`${this.#name}/${entry.id}`, record),
      place: this.#home.place(),
    }));
    return this.#run(async () => {
      if (rows.length === 0) return 0;
      try {
        return (await this.#rows.insertMany(rows, { ordered: false })).insertedCount;
      } catch (error) {
        return newInSpiteOf(error);
      }
    });
  }

  read(
    id: string,
    { after = -Infinity, before, limit }: { after?: number; before?: number; limit: number },
  ): Promise<readonly Entry<R>[]> {
    const direction = before === undefined ? 1 : -1;
    const between = { $gt: after, $lt: before ?? Infinity };
    return this.#run(async () => {
      const page = await this.#find({ id, version: between }, direction, limit);
      const cut = page.length === limit ? page.at(-1)?.version : undefined;
      if (cut === undefined) return page;
      const last = await this.#find({ id, version: cut }, direction);
      return [...page.filter(({ version }) => version !== cut), ...last];
    });
  }

  last(id: string): Promise<Entry<R> | undefined> {
    return this.#run(async () => (await this.#find({ id }, -1, 1))[0]);
  }

  forget(id: string, upTo: number): Promise<number> {
    return this.#run(async () => {
      for (let forgotten = 0; ;) {
        const oldest = await this.#rows
          .find({ id, version: { $lte: upTo } }, { projection: { _id: 1 } })
          .sort({ version: 1, place: 1 })
          .limit(FORGOTTEN_AT_ONCE)
          .toArray();
        const ids = oldest.map(({ _id }) => _id);
        if (ids.length === 0) return forgotten;
        forgotten += (await this.#rows.deleteMany({ _id: { $in: ids } })).deletedCount;
      }
    });
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    return this.#home.calls.run(async () => {
      await this.prepare();
      return work();
    });
  }

  async #find(
    filter: mongo.Filter<EntryRow>,
    direction: 1 | -1,
    limit?: number,
  ): Promise<readonly Entry<R>[]> {
    if (limit !== undefined && limit <= 0) return [];
    const found = this.#rows.find(filter).sort({ version: direction, place: direction });
    const rows = await (limit === undefined ? found : found.limit(limit)).toArray();
    return rows.map(({ id, version, key, at, record }) => ({
      id,
      version,
      key,
      at,
      record: JSON.parse(record) as R,
    }));
  }
}

/** How many were written although some were there already. Throws the error if anything else went wrong. */
function newInSpiteOf(error: unknown): number {
  const { writeErrors, insertedCount } = error as Partial<mongo.MongoBulkWriteError>;
  const failed = writeErrors === undefined ? [] : [writeErrors].flat();
  if (insertedCount === undefined || failed.length === 0 || !failed.every(isDuplicateKey))
    throw error;
  return insertedCount;
}
