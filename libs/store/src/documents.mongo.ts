import { randomUUID } from 'node:crypto';
import type { mongo } from 'mongoose';
import { once } from './calls.mongo.ts';
import { Clears } from './clears.mongo.ts';
import { checkCollection, upgraded, versionConflict } from './document.ts';
import type { Change, Collection, Document, Documents, Index } from './documents.port.ts';
import { isDuplicateKey } from './failure.mongo.ts';
import type { Home } from './home.mongo.ts';
import { Recent } from './recent.ts';
import {
  checkSize,
  draftOf,
  grown,
  isKill,
  keysFrom,
  type Known,
  knownOf,
  type Owed,
  type Row,
  type RowChange,
  rowChange,
  unborn,
  updateOf,
} from './row.mongo.ts';

const REMEMBERED_BYTES = 16 * 1_048_576;
const MARK_BYTES = 128;
const PAGE = 100;

/** One collection of any MongoDB-compatible server, shared with any number of processes. */
export class MongoDocuments<S> implements Documents<S> {
  readonly name: string;
  readonly epoch: number;
  /** Resolves when indexes are there and every document is found by its present fields. */
  readonly prepare: () => Promise<void>;
  readonly #home: Home;
  readonly #rows: mongo.Collection<Row>;
  readonly #collection: Collection<S>;
  readonly #clears: Clears;
  readonly #recent = new Recent<Known>(REMEMBERED_BYTES);

  constructor(home: Home, rows: mongo.Collection<Row>, collection: Collection<S>) {
    checkCollection(collection);
    this.name = collection.name;
    this.epoch = home.epoch;
    this.#home = home;
    this.#rows = rows;
    this.#collection = collection;
    this.#clears = new Clears((id, seqs) => this.#clear(id, seqs));
    this.prepare = once(async () => {
      await this.#index();
      await this.#refield();
    });
  }

  load(id: string): Promise<Document<S> | undefined> {
    return this.#run(() =>
      this.#clears.during(id, async (cleared) => {
        const row = await this.#rows.findOne({ _id: id });
        if (!row) return undefined;
        return this.#document(row, this.#remember(id, without(knownOf(row), cleared)));
      }),
    );
  }

  async save(id: string, change: Change<S>, expectedToken: number): Promise<Document<S>> {
    const draft = draftOf(this.#collection, id, change);
    return this.#run(() =>
      this.#clears.during(id, async (cleared) => {
        const before = await this.#known(id, expectedToken);
        const known = grown(before, draft, this.#home.place);
        checkSize(`${this.name}/${id}`, draft, known.outbox);
        const parts = rowChange(known, draft, this.#collection.schemaVersion);
        const outbox =
          expectedToken === 0
            ? await this.#insert(id, parts, known)
            : await this.#update(id, parts, known, before);
        const saved = this.#remember(id, without({ ...known, outbox }, cleared));
        return this.#documentOf(id, saved, draft.version, change.state);
      }),
    );
  }

  clear(id: string, seqs: readonly number[]): Promise<void> {
    return this.#run(() => this.#clears.clear(id, seqs));
  }

  owing(limit: number): Promise<readonly string[]> {
    return this.#run(async () => {
      // By the smallest element, which is the longest owed: that is how arrays are sorted.
      const [kills, all] = await Promise.all(
        (['owedKills', 'owed'] as const).map((field) =>
          this.#find({ [field]: { $gt: 0 } }, { owed: 1 }, limit),
        ),
      );
      const ids = [...(kills ?? []), ...(all ?? [])].map(({ _id }) => _id);
      return [...new Set(ids)].slice(0, limit);
    });
  }

  list({
    where = {},
    after,
    limit,
  }: {
    where?: Index;
    after?: string | undefined;
    limit: number;
  }): Promise<readonly Document<S>[]> {
    return this.#run(async () => {
      await this.#refield();
      const keys = keysFrom(where);
      const filter = {
        _id: { $gt: after ?? '' },
        ...(keys.length > 0 ? { keys: { $all: [...keys] } } : {}),
      };
      if (limit <= 0) return [];
      const rows = await this.#rows.find(filter).sort({ _id: 1 }).limit(limit).toArray();
      return rows.map((row) => this.#document(row, knownOf(row)));
    });
  }

  claimDue(now: number, forMs: number, limit: number): Promise<readonly string[]> {
    return this.#run(async () => {
      await this.#refield();
      const claimed: string[] = [];
      for (;;) {
        const most = limit - claimed.length;
        const free = { dueAt: { $lte: now }, claimedUntil: { $lte: now } };
        const found = await this.#find(free, { dueAt: 1, _id: 1 }, most);
        const ids = found.map(({ _id }) => _id);
        claimed.push(...(await this.#claim(ids, free, now + forMs)));
        // What others took from under us leaves room for what is behind it.
        if (ids.length < most || claimed.length === limit) return claimed;
      }
    });
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    return this.#home.calls.run(async () => {
      await this.prepare();
      return work();
    });
  }

  /** One command for each: FerretDB 1 breaks off when it has two of a list already. */
  async #index(): Promise<void> {
    await this.#rows.createIndex({ keys: 1, _id: 1 });
    await this.#rows.createIndex({ dueAt: 1, _id: 1 });
    await this.#rows.createIndex({ owed: 1 });
    await this.#rows.createIndex({ owedKills: 1 });
    if (this.#collection.schemaVersion > 1) await this.#rows.createIndex({ keysOf: 1 });
  }

  /**
   * Lists and claims find documents of an older schema version by the present fields; their states stay. Before
   * each, since a process of the release before may have saved one.
   */
  async #refield(): Promise<void> {
    const { schemaVersion, index } = this.#collection;
    if (schemaVersion === 1) return;
    for (;;) {
      const rows = await this.#rows
        .find({ keysOf: { $lt: schemaVersion } })
        .limit(PAGE)
        .toArray();
      for (const row of rows) {
        const present = index(this.#state(row));
        const fields = { keys: keysFrom(present), dueAt: present.dueAt ?? null };
        await this.#rows.updateOne(
          { _id: row._id, token: row.token },
          { $set: { ...fields, keysOf: schemaVersion } },
        );
      }
      if (rows.length < PAGE) return;
    }
  }

  async #known(id: string, expectedToken: number): Promise<Known> {
    if (expectedToken === 0) return unborn;
    const recent = this.#recent.get(id);
    if (recent?.token === expectedToken) return recent;
    const row = await this.#rows.findOne({ _id: id });
    if (row?.token !== expectedToken)
      throw versionConflict(this.name, id, expectedToken, row?.token ?? 0);
    return knownOf(row);
  }

  async #insert(id: string, parts: RowChange, known: Known): Promise<readonly Owed[]> {
    const { set, marks, outbox, owed, owedKills } = parts;
    try {
      await this.#rows.insertOne({ _id: id, ...set, marks, outbox, owed, owedKills });
      return known.outbox;
    } catch (error) {
      throw isDuplicateKey(error) ? await this.#conflict(id, 0) : error;
    }
  }

  /** Returns what the document owes now. */
  async #update(
    id: string,
    parts: RowChange,
    known: Known,
    before: Known,
  ): Promise<readonly Owed[]> {
    const unsaved = { _id: id, token: before.token };
    const update = updateOf(parts);
    if (before.outbox.length === 0) {
      const { matchedCount } = await this.#rows.updateOne(unsaved, update);
      if (matchedCount === 0) throw await this.#conflict(id, before.token);
      return known.outbox;
    }
    // Another process may have cleared of the older ones.
    const row = await this.#rows.findOneAndUpdate(unsaved, update, { returnDocument: 'after' });
    if (!row) throw await this.#conflict(id, before.token);
    return known.outbox.filter(({ seq }) => seq in row.outbox);
  }

  async #conflict(id: string, expectedToken: number): Promise<Error> {
    const row = await this.#rows.findOne({ _id: id }, { projection: { token: 1 } });
    return versionConflict(this.name, id, expectedToken, row?.token ?? 0);
  }

  async #clear(id: string, seqs: ReadonlySet<number>): Promise<void> {
    const isMeant = ({ seq }: Owed): boolean => seqs.has(seq);
    let meant = this.#recent.get(id)?.outbox.filter(isMeant) ?? [];
    if (meant.length < seqs.size) {
      const row = await this.#rows.findOne({ _id: id });
      meant = row ? knownOf(row).outbox.filter(isMeant) : [];
    }
    if (meant.length > 0) {
      const places = (entries: readonly Owed[]): number[] => entries.map(({ at }) => at);
      await this.#rows.updateOne(
        { _id: id },
        {
          $unset: Object.fromEntries(meant.map(({ seq }) => [`outbox.${seq}`, ''])),
          $pullAll: { owed: places(meant), owedKills: places(meant.filter(isKill)) },
        },
      );
    }
    const recent = this.#recent.get(id);
    if (recent) this.#remember(id, without(recent, seqs));
  }

  /** Those of `ids` that were still free. */
  async #claim(
    ids: readonly string[],
    free: mongo.Filter<Row>,
    claimedUntil: number,
  ): Promise<readonly string[]> {
    if (ids.length === 0) return [];
    const claim = randomUUID();
    const { matchedCount } = await this.#rows.updateMany(
      { ...free, _id: { $in: [...ids] } },
      { $set: { claimedUntil, claim } },
    );
    if (matchedCount === ids.length) return ids;
    const mine = await this.#find({ _id: { $in: [...ids] }, claim }, { _id: 1 }, ids.length);
    const taken = new Set(mine.map(({ _id }) => _id));
    return ids.filter((id) => taken.has(id));
  }

  async #find(
    filter: mongo.Filter<Row>,
    sort: Readonly<Record<string, 1>>,
    limit: number,
  ): Promise<readonly Pick<Row, '_id'>[]> {
    if (limit <= 0) return []; // to the server, 0 is no limit
    return this.#rows
      .find(filter)
      .project<Pick<Row, '_id'>>({ _id: 1 })
      .sort(sort)
      .limit(limit)
      .toArray();
  }

  #remember(id: string, known: Known): Known {
    const bytes = known.outbox.reduce((sum, owed) => sum + owed.bytes, 0);
    this.#recent.set(id, known, bytes + MARK_BYTES * (1 + known.handled.length));
    return known;
  }

  #state({ _id, state, schema }: Row): S {
    return upgraded(this.#collection, _id, JSON.parse(state), schema);
  }

  #document(row: Row, known: Known): Document<S> {
    return this.#documentOf(row._id, known, row.version, this.#state(row));
  }

  #documentOf(id: string, known: Known, version: number, state: S): Document<S> {
    const { token, handled, outbox } = known;
    const owed = outbox.map(({ seq, message }) => ({ seq, message }));
    return { id, epoch: this.epoch, version, token, state, handled, outbox: owed };
  }
}

const without = (known: Known, seqs: ReadonlySet<number>): Known =>
  seqs.size === 0 ? known : { ...known, outbox: known.outbox.filter(({ seq }) => !seqs.has(seq)) };
