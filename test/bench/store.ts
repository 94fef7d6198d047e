import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { OutgoingMessage } from '@tidegate/contracts';
import type { Command, Draft } from '@tidegate/kernel';
import { createExecute, createOutbox, noFaults, openSqliteStore } from '@tidegate/store';
import type { Bench, Row } from './main.ts';

const DOCUMENTS = 64;
const ROUNDS = 5;
const ROUND_MS = 1_000;
const MARKS = 256;
const CONCURRENCY = [1, 64];

/** One change of document `n`, all of it durable when it resolves. */
type Change = (n: number) => Promise<unknown>;

interface State {
  readonly count: number;
  readonly text: string;
}
const state = (count: number): State => ({ count, text: 'x'.repeat(1_000) });
const clock = { now: Date.now };
const key = (n: number): string => `production/flag-${n}`;
let made = 0;
const nextId = (): string => {
  made += 1;
  return `m-${made}`;
};

const message = (n: number, type: string): OutgoingMessage => ({
  type,
  key: key(n),
  topic: 'flag.events',
  data: { environment: 'production', key: `flag-${n}`, reason: 'bench' },
  metadata: { id: nextId(), source: 'bench', at: 1_000, actor: 'bench', correlationId: 'c-1' },
});
const answer = { outcome: 'changed', version: 1 } as const;

/** Our two write paths: `save` alone, and `execute` with an outbox whose bus takes everything at once. */
async function tidegate(file: string) {
  const store = await openSqliteStore({ file, clock });
  const documents = store.documents<State>({
    name: 'flags',
    schemaVersion: 1,
    index: ({ count }) => ({ count }),
  });
  const outbox = createOutbox({ publish: async () => undefined, faults: noFaults });
  const execute = createExecute({
    outbox,
    ids: { next: nextId },
    clock,
    source: 'bench',
    faults: noFaults,
  });
  const aggregate = {
    documents,
    decider: {
      initial: state(0),
      decide: ({ data }: Command): readonly Draft[] => [{ type: 'FlagDisabled', data }],
      evolve: ({ count }: State) => state(count + 1),
    },
  };
  const tokens = new Map<number, number>();
  const save: Change = async (n) => {
    const token = tokens.get(n) ?? 0;
    const saved = await documents.save(
      key(n),
      {
        state: state(token),
        version: token + 1,
        mark: { source: 'bench', id: nextId(), answer },
        outbox: [message(n, 'FlagDisabled'), message(n, 'FlagCommandAnswered')],
      },
      token,
    );
    tokens.set(n, token + 1);
    await documents.clear(
      key(n),
      saved.outbox.map(({ seq }) => seq),
    );
  };
  const run: Change = (n) =>
    execute(aggregate, `executed/${key(n)}`, {
      type: 'DisableFlag',
      data: { environment: 'production', key: `flag-${n}`, reason: 'bench' },
      metadata: {
        id: nextId(),
        source: 'cli',
        at: Date.now(),
        actor: 'bench',
        correlationId: 'c-1',
      },
    });
  return { save, execute: run, close: () => store.close() };
}

/** The same rows with the bare driver: same pragmas, one transaction for all writes of a turn, nothing else. */
function bare(file: string) {
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

async function round(change: Change, concurrency: number, latencies: number[]): Promise<number> {
  const began = performance.now();
  const end = began + ROUND_MS;
  let done = 0;
  const worker = async (n: number) => {
    for (let at = performance.now(); at < end;) {
      await change(n);
      const now = performance.now();
      latencies.push(now - at);
      at = now;
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, n) => worker(n)));
  return (done / (performance.now() - began)) * 1_000;
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;

const subjects = ['tidegate', 'node:sqlite'] as const;

/** Documents that are changed and cleared again, in turns of a second each; every document has its 256 marks. */
const bench: Bench = async (report) => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  const ours = await tidegate(join(folder, 'tidegate.db'));
  const theirs = bare(join(folder, 'bare.db'));
  const all = { tidegate: ours, 'node:sqlite': theirs };
  for (const subject of [ours, theirs])
    for (const what of ['save', 'execute'] as const)
      for (let count = 0; count < MARKS; count += 1)
        await Promise.all(Array.from({ length: DOCUMENTS }, (_, n) => subject[what](n)));

  for (const what of ['save', 'execute'] as const)
    for (const concurrency of CONCURRENCY) {
      const rates: Record<string, number[]> = {};
      const latencies: Record<string, number[]> = {};
      for (let count = 0; count < ROUNDS; count += 1)
        for (const subject of subjects) {
          const rate = await round(all[subject][what], concurrency, (latencies[subject] ??= []));
          (rates[subject] ??= []).push(rate);
        }
      tell(report, `${what}, ${concurrency} at a time`, rates, latencies);
    }
  await ours.close();
  await theirs.close();
  await rm(folder, { recursive: true });
};
export default bench;

function tell(
  report: (row: Row) => void,
  name: string,
  rates: Record<string, number[]>,
  latencies: Record<string, number[]>,
): void {
  const round = (value: number) => Number(value.toPrecision(4));
  for (const subject of subjects) {
    const rate = quantile(rates[subject] ?? [], 0.5);
    report({ case: name, subject, value: round(rate), unit: 'ops/s' });
    for (const [unit, q] of [
      ['ms p50', 0.5],
      ['ms p99', 0.99],
    ] as const)
      report({ case: name, subject, value: round(quantile(latencies[subject] ?? [], q)), unit });
  }
  const [own, peer] = subjects.map((subject) => quantile(rates[subject] ?? [], 0.5));
  const value = round(Number(own) / Number(peer));
  report({ case: name, subject: 'tidegate', value, unit: 'of node:sqlite' });
}
