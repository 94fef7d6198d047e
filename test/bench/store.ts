import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteStore } from '@tidegate/store';
import type { Bench } from './main.ts';
import {
  answer,
  type Change,
  key,
  measure,
  message,
  nextId,
  type State,
  state,
  type Subject,
  tidegate,
  warmUp,
} from './store.changes.ts';

const MARKS = 256;

/** The same rows with the bare driver: same pragmas, one transaction for all writes of a turn, nothing else. */
function bare(file: string): Subject {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA cache_size=-16000;
    CREATE TABLE documents (id TEXT PRIMARY KEY, number INTEGER UNIQUE, token INTEGER, state TEXT) STRICT;
    CREATE TABLE marks (head INTEGER, seq INTEGER, id TEXT, mark TEXT, PRIMARY KEY (head, seq)) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX handled ON marks (head, id);
    CREATE TABLE outbox (position INTEGER PRIMARY KEY, head INTEGER, seq INTEGER, message TEXT, UNIQUE (head, seq)) STRICT`);
  const load = database.prepare('SELECT token, state FROM documents WHERE id = ?');
  const handled = database.prepare('SELECT mark FROM marks WHERE head = ? AND id = ?');
  const count = new Map<number, number>();
  const put = database.prepare(
    'INSERT OR REPLACE INTO documents (id, number, token, state) VALUES (?, ?, ?, ?)',
  );
  const putMark = database.prepare('INSERT INTO marks (head, seq, id, mark) VALUES (?, ?, ?, ?)');
  const forget = database.prepare('DELETE FROM marks WHERE head = ? AND seq <= ?');
  const owe = database.prepare('INSERT INTO outbox (head, seq, message) VALUES (?, ?, ?)');
  const clear = database.prepare('DELETE FROM outbox WHERE head = ?');

  let waiting: { work: () => void; resolve: () => void }[] = [];
  const commit = (durable: boolean) => {
    const jobs = waiting.splice(0);
    database.exec(`PRAGMA synchronous=${durable ? 'FULL' : 'NORMAL'}; BEGIN IMMEDIATE`);
    for (const { work } of jobs) work();
    database.exec('COMMIT');
    for (const { resolve } of jobs) resolve();
  };
  const write = (work: () => void, durable = true) =>
    new Promise<void>((resolve) => {
      if (waiting.length === 0) setImmediate(() => commit(durable));
      waiting.push({ work, resolve });
    });

  const save: Change = async (n) => {
    await write(() => {
      const token = Number(load.get(key(n))?.['token'] ?? 0);
      const id = nextId();
      put.run(key(n), n, token + 1, JSON.stringify(state(count.get(n) ?? token)));
      putMark.run(n, token, id, JSON.stringify({ source: 'bench', id, answer }));
      forget.run(n, token - MARKS);
      for (const [place, type] of ['FlagDisabled', 'FlagCommandAnswered'].entries())
        owe.run(n, 2 * token + place, JSON.stringify(message(n, type)));
    });
    await write(() => clear.run(n), false);
  };
  const execute: Change = async (n) => {
    const row = load.get(key(n));
    const found = row ? (JSON.parse(String(row['state'])) as State) : state(0);
    if (handled.get(n, nextId())) throw new Error('An id was made twice.');
    count.set(n, found.count + 1);
    await save(n);
  };
  return { save, execute, close: async () => database.close() };
}

/** Every document has its 256 marks. */
const bench: Bench = async (report) => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  const file = join(folder, 'tidegate.db');
  const ours = tidegate(await openSqliteStore({ file, clock: { now: Date.now } }));
  const theirs = bare(join(folder, 'bare.db'));
  await warmUp([ours, theirs], MARKS);
  await measure(report, { tidegate: ours, 'node:sqlite': theirs });
  await ours.close();
  await theirs.close();
  await rm(folder, { recursive: true });
};
export default bench;
