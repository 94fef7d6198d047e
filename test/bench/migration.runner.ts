import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type House, openService } from './house.process.ts';
import { PAGE } from './migration.database.ts';
import { writeMigrations } from './migration.data.ts';

/** migration-runner in a process of its own, with its own store, beside one database. */
export interface Runner {
  /** From its start to its end as the runner records it, ms. Thrown when it does not complete. */
  run(migration: string, action: string, options?: object): Promise<Ran>;
  begin(migration: string, action: string, options?: object): Promise<string>;
  /** Resolves when the run has counted and has written its first batch. */
  untilWritten(run: string): Promise<void>;
  cancelIfRunning(run: string): Promise<void>;
  /** Resident, at most since it was last asked, MB. */
  peak(): number;
  stop(): Promise<void>;
}

export interface Ran {
  readonly tookMs: number;
  readonly changed: number;
}

interface State {
  readonly status: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly message?: string;
  readonly counts: { readonly changed: number };
}

const LOOK_MS = 50;
/** Batches stay as large as a page of the bare loop. */
const SAME_SIZE = { batchSize: PAGE, flow: { targetBatchMs: 10_000 } };

export async function openRunner(folder: string, name: string, url: string): Promise<Runner> {
  const migrations = join(folder, 'migrations');
  await writeMigrations(migrations, name);
  const house = await openService('migration-runner', folder, {
    MIGRATIONS_DIR: migrations,
    MIGRATION_TARGETS: `${name}=${url}`,
  });
  const [child] = house.processes;
  const status = `/proc/${child?.pid}`;
  const begin: Runner['begin'] = async (migration, action, options = {}) => {
    const body = {
      migration,
      action,
      ...(action === 'execute' || action === 'revert' ? SAME_SIZE : {}),
      ...options,
    };
    return (await house.ask('POST', 'migration-runner', '/v1/runs', body)).run;
  };
  return {
    begin,
    untilWritten: async (run) => {
      while ((await stateOf(house, run)).counts.changed === 0) await wait(LOOK_MS);
    },
    run: async (...given) => ended(house, await begin(...given)),
    cancelIfRunning: async (run) => {
      const { status } = await stateOf(house, run);
      if (status !== 'running') return;
      const reason = { reason: 'measured' };
      await house.ask('POST', 'migration-runner', `/v1/runs/${run}/cancel`, reason);
    },
    peak: () => {
      const [, kilobytes] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`${status}/status`, 'utf8')) ?? [];
      writeFileSync(`${status}/clear_refs`, '5');
      return Math.round(Number(kilobytes) / 102.4) / 10;
    },
    stop: house.stop,
  };
}

async function stateOf({ ask }: House, run: string): Promise<State> {
  const answer: unknown = await ask('GET', 'migration-runner', `/v1/runs/${run}`);
  return answer as State;
}

async function ended(house: House, run: string): Promise<Ran> {
  for (;;) {
    const { status, startedAt, endedAt, counts, message } = await stateOf(house, run);
    if (status === 'completed') return { tookMs: endedAt - startedAt, changed: counts.changed };
    if (status !== 'running') throw new Error(`${run} is ${status}: ${message}`);
    await wait(LOOK_MS);
  }
}
