import type { DatabaseSync } from 'node:sqlite';
import type { GroupCommit } from './commit.sqlite.ts';
import { nameFailure } from './failure.sqlite.ts';
import type { Entry, Projection } from './projection.port.ts';
import { stateText } from './size.ts';

/** Entries that one transaction takes away: bounds how long it holds up the event loop. */
const FORGOTTEN_AT_ONCE = 200;

const COLUMNS = 'position, id, version, key, at, record';

export class SqliteProjection<R> implements Projection<R> {
  readonly #name: string;
  readonly #commit: GroupCommit;
  readonly #sql;

  constructor(database: DatabaseSync, commit: GroupCommit, name: string) {
    const select = (condition: string, order: string) =>
      database.prepare(
        `SELECT ${COLUMNS} FROM entries WHERE projection = ? AND id = ? AND ${condition}
         ORDER BY version ${order}, position ${order} LIMIT ?`,
      );
    this.#name = name;
    this.#commit = commit;
    this.#sql = {
      append: database.prepare(
        `INSERT INTO entries (projection, id, version, key, at, record) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (projection, id, key) DO NOTHING`,
      ),
      forget: database.prepare(
        `DELETE FROM entries WHERE position IN (
           SELECT position FROM entries WHERE projection = ? AND id = ? AND version <= ?
           ORDER BY version, position LIMIT ${FORGOTTEN_AT_ONCE})`,
      ),
      forth: select('version > ? AND version < ?', 'ASC'),
      back: select('version > ? AND version < ?', 'DESC'),
      restForth: select('version = ? AND position > ?', 'ASC'),
      restBack: select('version = ? AND position < ?', 'DESC'),
    };
  }

  async append(entries: readonly Entry<R>[]): Promise<number> {
    const records = entries.map(({ id, record }) => stateText(`${this.#name}/${id}`, record));
    return this.#commit.write(() =>
      entries.reduce((count, { id, version, key, at }, place) => {
        const record = records[place] ?? null;
        const { changes } = this.#sql.append.run(this.#name, id, version, key, at, record);
        return count + Number(changes);
      }, 0),
    );
  }

  async read(
    id: string,
    { after = -Infinity, before, limit }: { after?: number; before?: number; limit: number },
  ): Promise<readonly Entry<R>[]> {
    const { forth, back, restForth, restBack } = this.#sql;
    const [page, rest] = before === undefined ? [forth, restForth] : [back, restBack];
    try {
      const rows = page.all(this.#name, id, after, before ?? Infinity, limit);
      const cut = rows.length === limit ? rows.at(-1) : undefined;
      if (cut)
        rows.push(...rest.all(this.#name, id, Number(cut['version']), Number(cut['position']), -1));
      return rows.map((row) => entryOf<R>(row));
    } catch (error) {
      throw nameFailure(error);
    }
  }

  async last(id: string): Promise<Entry<R> | undefined> {
    const [entry] = await this.read(id, { before: Infinity, limit: 1 });
    return entry;
  }

  async forget(id: string, upTo: number): Promise<number> {
    for (let forgotten = 0; ;) {
      const { changes } = await this.#commit.write(() =>
        this.#sql.forget.run(this.#name, id, upTo),
      );
      forgotten += Number(changes);
      if (Number(changes) < FORGOTTEN_AT_ONCE) return forgotten;
    }
  }
}

const entryOf = <R>(row: Readonly<Record<string, unknown>>): Entry<R> => ({
  id: String(row['id']),
  version: Number(row['version']),
  key: String(row['key']),
  at: Number(row['at']),
  record: JSON.parse(String(row['record'])) as R,
});
