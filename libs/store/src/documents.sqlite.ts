import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { OutgoingMessage } from '@tidegate/contracts';
import type { GroupCommit } from './commit.sqlite.ts';
import { checkCollection, fieldsOf, upgraded, versionConflict } from './document.ts';
import type { Change, Collection, Document, Documents, Index } from './documents.port.ts';
import { nameFailure } from './failure.sqlite.ts';
import type { Marks } from './marks.sqlite.ts';
import { messageText, stateText } from './size.ts';

const HEAD =
  'h.number, h.id, h.version, h.token, h.schema_version, h.last_seq, h.last_mark, h.owes_since';

const statements = (database: DatabaseSync) => ({
  load: database.prepare(
    `SELECT ${HEAD}, s.state FROM heads h JOIN states s ON s.head = h.number
     WHERE h.collection = ? AND h.id = ?`,
  ),
  head: database.prepare(`SELECT ${HEAD} FROM heads h WHERE h.collection = ? AND h.id = ?`),
  number: database.prepare('SELECT number FROM heads WHERE collection = ? AND id = ?'),
  insert: database.prepare(
    `INSERT INTO heads (version, schema_version, fields, fields_version, due_at, last_seq, last_mark,
       collection, id, token, claimed_until, owes_kill)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0)`,
  ),
  update: database.prepare(
    `UPDATE heads SET version = ?, schema_version = ?, fields = ?, fields_version = ?, due_at = ?, last_seq = ?,
       last_mark = ?, token = token + 1, claimed_until = 0
     WHERE number = ?`,
  ),
  putState: database.prepare('INSERT OR REPLACE INTO states (head, state) VALUES (?, ?)'),
  owe: database.prepare('INSERT INTO outbox (head, seq, is_kill, message) VALUES (?, ?, ?, ?)'),
  owed: database.prepare('SELECT seq, message FROM outbox WHERE head = ? ORDER BY seq'),
  clear: database.prepare(
    'DELETE FROM outbox WHERE head = ? AND seq IN (SELECT value FROM json_each(?))',
  ),
  reckon: database.prepare(
    `UPDATE heads SET (owes_since, owes_kill) =
       (SELECT min(position), coalesce(max(is_kill), 0) FROM outbox WHERE head = heads.number)
     WHERE number = ?`,
  ),
  owing: database.prepare(
    `SELECT id FROM heads WHERE collection = ? AND owes_since IS NOT NULL
     ORDER BY owes_kill DESC, owes_since LIMIT ?`,
  ),
  due: database.prepare(
    `SELECT number, id FROM heads WHERE collection = ? AND due_at <= ? AND claimed_until <= ?
     ORDER BY due_at, id LIMIT ?`,
  ),
  claim: database.prepare('UPDATE heads SET claimed_until = ? WHERE number = ?'),
  outdated: database.prepare(
    `SELECT h.number, h.id, h.schema_version, s.state FROM heads h JOIN states s ON s.head = h.number
     WHERE h.collection = ? AND h.fields_version < ?`,
  ),
  refield: database.prepare(
    'UPDATE heads SET fields = ?, fields_version = ?, due_at = ? WHERE number = ?',
  ),
});

type Row = Readonly<Record<string, unknown>>;

/** One collection in a file of its own process. */
export class SqliteDocuments<S> implements Documents<S> {
  readonly name: string;
  readonly epoch: number;
  readonly #database: DatabaseSync;
  readonly #commit: GroupCommit;
  readonly #marks: Marks;
  readonly #collection: Collection<S>;
  readonly #sql: ReturnType<typeof statements>;

  constructor(
    database: DatabaseSync,
    commit: GroupCommit,
    marks: Marks,
    collection: Collection<S>,
    epoch: number,
  ) {
    checkCollection(collection);
    this.name = collection.name;
    this.epoch = epoch;
    this.#database = database;
    this.#commit = commit;
    this.#marks = marks;
    this.#collection = collection;
    this.#sql = statements(database);
    this.#refield();
  }

  load(id: string): Promise<Document<S> | undefined> {
    return this.#read(() => {
      const row = this.#sql.load.get(this.name, id);
      return row && this.#document(row);
    });
  }

  async save(id: string, change: Change<S>, expectedToken: number): Promise<Document<S>> {
    const { version, mark } = change;
    const state = stateText(`${this.name}/${id}`, change.state);
    const outbox = change.outbox.map((message) => ({ message, text: messageText(message) }));
    const { fields, dueAt } = indexed(this.#collection.index(change.state));
    const schema = this.#collection.schemaVersion;
    const work = () => {
      const head = this.#sql.head.get(this.name, id);
      const token = Number(head?.['token'] ?? 0);
      if (token !== expectedToken) throw versionConflict(this.name, id, expectedToken, token);
      const lastSeq = Number(head?.['last_seq'] ?? 0);
      const lastMark = Number(head?.['last_mark'] ?? 0) + (mark ? 1 : 0);
      const seq = lastSeq + outbox.length;
      const values = [version, schema, fields, schema, dueAt, seq, lastMark];
      const number = this.#putHead(id, head, values);
      this.#sql.putState.run(number, state);
      outbox.forEach(({ message, text }, place) => {
        this.#sql.owe.run(number, lastSeq + 1 + place, Number(message.topic === 'kills'), text);
      });
      if (outbox.length > 0) this.#sql.reckon.run(number);
      const owed = outbox.map(({ message }, place) => ({ seq: lastSeq + 1 + place, message }));
      return {
        id,
        epoch: this.epoch,
        version,
        token: token + 1,
        state: change.state,
        outbox: owes(head) ? this.#outbox(number) : owed,
        handled: mark ? this.#marks.add(number, lastMark, mark) : this.#marks.of(number),
      };
    };
    return this.#commit.write(work, { durable: this.#collection.durable !== false });
  }

  clear(id: string, seqs: readonly number[]): Promise<void> {
    return this.#commit.write(
      () => {
        const number = this.#sql.number.get(this.name, id)?.['number'];
        if (typeof number !== 'number') return;
        this.#sql.clear.run(number, JSON.stringify(seqs));
        this.#sql.reckon.run(number);
      },
      { durable: false }, // lost in a power failure, the relay publishes them once more
    );
  }

  owing(limit: number): Promise<readonly string[]> {
    return this.#read(() => this.#sql.owing.all(this.name, limit).map(({ id }) => String(id)));
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
    return this.#read(() => {
      const fields = Object.entries(fieldsOf(where));
      // JSON text on both sides: 1, "1" and true stay different.
      const conditions = fields.map(() => 'AND h.fields -> ? = ?').join(' ');
      const values: SQLInputValue[] = fields.flatMap(([field, value]) => [
        `$.${JSON.stringify(field)}`,
        JSON.stringify(value),
      ]);
      return this.#database
        .prepare(
          `SELECT ${HEAD}, s.state FROM heads h JOIN states s ON s.head = h.number
           WHERE h.collection = ? AND h.id > ? ${conditions} ORDER BY h.id LIMIT ?`,
        )
        .all(this.name, after ?? '', ...values, limit)
        .map((row) => this.#document(row));
    });
  }

  claimDue(now: number, forMs: number, limit: number): Promise<readonly string[]> {
    return this.#commit.write(
      () =>
        this.#sql.due.all(this.name, now, now, limit).map(({ number, id }) => {
          this.#sql.claim.run(now + forMs, Number(number));
          return String(id);
        }),
      { durable: false }, // a power failure ends all who could hold one
    );
  }

  /** Lists and claims find documents of an older schema version by the present fields; their states stay. */
  #refield(): void {
    const { name, schemaVersion, index } = this.#collection;
    for (const row of this.#sql.outdated.all(name, schemaVersion)) {
      const { fields, dueAt } = indexed(index(this.#state(row)));
      this.#sql.refield.run(fields, schemaVersion, dueAt, Number(row['number']));
    }
  }

  #putHead(id: string, head: Row | undefined, values: readonly SQLInputValue[]): number {
    if (!head) return Number(this.#sql.insert.run(...values, this.name, id).lastInsertRowid);
    const number = Number(head['number']);
    this.#sql.update.run(...values, number);
    return number;
  }

  #document(row: Row): Document<S> {
    const number = Number(row['number']);
    return {
      id: String(row['id']),
      epoch: this.epoch,
      version: Number(row['version']),
      token: Number(row['token']),
      state: this.#state(row),
      handled: this.#marks.of(number),
      outbox: owes(row) ? this.#outbox(number) : [],
    };
  }

  #state(row: Row): S {
    const stored: unknown = JSON.parse(String(row['state']));
    return upgraded(this.#collection, String(row['id']), stored, Number(row['schema_version']));
  }

  #outbox(number: number): Document<S>['outbox'] {
    return this.#sql.owed.all(number).map(({ seq, message }) => ({
      seq: Number(seq),
      message: JSON.parse(String(message)) as OutgoingMessage,
    }));
  }

  async #read<T>(work: () => T): Promise<T> {
    try {
      return work();
    } catch (error) {
      throw nameFailure(error);
    }
  }
}

const owes = (row: Row | undefined): boolean => typeof row?.['owes_since'] === 'number';

const indexed = (index: Index): { fields: string; dueAt: number | null } => ({
  fields: JSON.stringify(fieldsOf(index)),
  dueAt: index.dueAt ?? null,
});
