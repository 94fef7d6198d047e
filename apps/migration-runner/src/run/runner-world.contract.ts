import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach } from '@jest/globals';
import {
  CancelMigration,
  PauseMigration,
  ResumeMigration,
  RunMigration,
} from '@tidegate/contracts';
import { exampleOf } from '@tidegate/contracts/testing';
import { manualClock, sequentialIds } from '@tidegate/kernel/testing';
import type { AnyMigration, Migration, Row } from '@tidegate/migration';
import { createExecute, createOutbox, type FaultPoint, type Faults } from '@tidegate/store';
import { MemoryDisk, memoryPublish, memoryStore, noFaults } from '@tidegate/store/testing';
import type { AskSnapshot } from '../backup/snapshot.port.ts';
import { createJournals } from '../journal/journal.handler.ts';
import { createQuarantine } from '../journal/quarantine.handler.ts';
import type { Target } from '../target/target.port.ts';
import { openSqliteTarget } from '../target/target.sqlite.ts';
import { advance, type Wait } from './advance.handler.ts';
import { createRuns } from './change-run.handler.ts';
import type { AdvanceDeps } from './job.ts';
import { runCollection } from './runs.ts';
import type { Run, Work } from './run.ts';

/** The migration that most specs run. */
export const totals: Migration = {
  id: 'totals',
  target: 'shop',
  collection: 'orders',
  pending: { total: { equals: null } },
  reads: ['a', 'b'],
  up: (order) => ({ ...order, total: Number(order['a']) + Number(order['b']) }),
};

/** Where a runner that executes or reverts may be killed. */
export const points: readonly FaultPoint[] = [
  'batch.read',
  'batch.journaled',
  'batch.written',
  'batch.recorded',
  'revert.read',
  'revert.written',
  'revert.recorded',
  'execute.saved',
];

const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const each of cleanUp.splice(0).reverse()) each();
});

export type Wrap = (target: Target) => Target;
interface ProcessOptions {
  readonly faults?: Faults;
  /** Stands between the runner and the database. */
  readonly wrap?: Wrap;
  readonly maxBytes?: number;
  readonly snapshot?: AskSnapshot;
}

/**
 * A shop with so many orders, on a real database, and the store of runners that may be killed: every process is another
 * runner over the same disk. How often each order was written, up and back, is counted by the database.
 */
export function runnerWorld(orders: number, ...migrations: readonly AnyMigration[]) {
  const { file, database } = shop(orders);
  const clock = manualClock(1_790_000_000_000);
  const ids = sequentialIds('x');
  const disk = new MemoryDisk();
  const loaded = new Map(
    migrations.map((migration) => [
      migration.id,
      { migration, hash: `sha256:${migration.id}`, file: `${migration.id}.ts` },
    ]),
  );
  let processes = 0;

  const start = ({
    faults = noFaults,
    wrap = (target) => target,
    maxBytes,
    snapshot,
  }: ProcessOptions = {}) => {
    const store = memoryStore({ clock, disk });
    const { publish } = memoryPublish();
    const execute = createExecute({
      outbox: createOutbox({ publish, faults }),
      ids,
      clock,
      source: 'migration-runner',
      faults,
    });
    const documents = store.documents(runCollection);
    const runs = createRuns({
      execute,
      documents,
      migrations: loaded,
      clock,
      ids,
      source: 'runner',
    });
    processes += 1;
    const deps: AdvanceDeps = {
      load: async (id) => (await documents.load(id))?.state,
      record: runs.record,
      refusal: runs.refusal,
      runsOf: runs.of,
      settleMs: 0,
      migrations: loaded,
      targets: { open: async (_name, access) => wrap(openSqliteTarget(file, access)) },
      journals: createJournals(store.projection('migration-journal'), {
        clock,
        maxBytes: maxBytes ?? Infinity,
      }),
      quarantine: createQuarantine(store.projection('migration-quarantine'), { clock }),
      snapshots: new Map(snapshot ? [['shop', snapshot]] : []),
      pacing: {
        clock,
        sleep: async (ms) => clock.advance(ms),
        probe: async () => undefined,
        heldBy: async () => undefined,
      },
      faults,
      leases: store.leases,
      holder: `runner-${processes}`,
      clock,
      yieldTurn: async () => undefined,
      sleep: () => new Promise<never>(() => {}),
    };
    const waits: (Wait | undefined)[] = [];
    return {
      store,
      waits,
      advance: (run: string) => advance(deps, run, (wait) => waits.push(wait)),
    };
  };

  const change = async (
    definition:
      typeof RunMigration | typeof PauseMigration | typeof ResumeMigration | typeof CancelMigration,
    data: Record<string, unknown>,
  ) => {
    const store = memoryStore({ clock, disk });
    const execute = createExecute({
      outbox: createOutbox({ publish: memoryPublish().publish, faults: noFaults }),
      ids,
      clock,
      source: 'spec',
      faults: noFaults,
    });
    const documents = store.documents(runCollection);
    const runs = createRuns({ execute, documents, migrations: loaded, clock, ids, source: 'spec' });
    const command = exampleOf(definition, data, { id: ids.next(), at: clock.now() });
    const { answer } = await runs.change(command);
    if (answer.outcome === 'refused') throw new Error(`${answer.code}: ${answer.message}`);
  };
  const state = async (run: string): Promise<Exclude<Run, { status: 'absent' }>> => {
    const found = await memoryStore({ clock, disk }).documents(runCollection).load(run);
    if (!found || found.state.status === 'absent') throw new Error(`there is no run ${run}`);
    return found.state;
  };
  const ask = (run: string, action: Work['action'], options: Partial<RunMigration['data']> = {}) =>
    change(RunMigration, { batchSize: 5, migration: migrations[0]?.id, run, action, ...options });
  return {
    database,
    disk,
    clock,
    start,
    ask,
    state,
    pause: (run: string) => change(PauseMigration, { run, reason: 'spec' }),
    resume: (run: string) => change(ResumeMigration, { run, reason: 'spec' }),
    cancel: (run: string) => change(CancelMigration, { run, reason: 'spec' }),
    /** One run, from its command to its end, by a runner that nothing happens to. */
    run: async (
      run: string,
      action: Work['action'],
      options: Partial<RunMigration['data']> = {},
    ) => {
      await ask(run, action, options);
      await start().advance(run);
      return state(run);
    },
    rows: () => rowsOf(database, 'SELECT id, a, b, total, note FROM orders ORDER BY id'),
    /** Orders that were written more than once, in one direction. */
    twice: () => rowsOf(database, 'SELECT * FROM writes WHERE up > 1 OR back > 1'),
    written: () => rowsOf(database, 'SELECT sum(up) AS up, sum(back) AS back FROM writes')[0],
  };
}

const rowsOf = (database: DatabaseSync, sql: string): readonly Row[] =>
  database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));

function shop(orders: number) {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-runner-'));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'shop.db');
  const database = new DatabaseSync(file);
  cleanUp.push(() => database.close());
  database.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
    CREATE TABLE orders (id INTEGER PRIMARY KEY, a, b, total, note);
    CREATE TABLE writes (id INTEGER PRIMARY KEY, up INTEGER DEFAULT 0, back INTEGER DEFAULT 0);
    CREATE TRIGGER up AFTER UPDATE OF total ON orders WHEN old.total IS NULL AND new.total IS NOT NULL BEGIN
      INSERT INTO writes (id, up) VALUES (new.id, 1) ON CONFLICT DO UPDATE SET up = up + 1; END;
    CREATE TRIGGER back AFTER UPDATE OF total ON orders WHEN old.total IS NOT NULL AND new.total IS NULL BEGIN
      INSERT INTO writes (id, back) VALUES (new.id, 1) ON CONFLICT DO UPDATE SET back = back + 1; END;
  `);
  const insert = database.prepare('INSERT INTO orders (id, a, b, note) VALUES (?, ?, ?, ?)');
  for (let id = 1; id <= orders; id += 1) insert.run(id, id % 7, id % 3, `n${id}`);
  return { file, database };
}
