import { setImmediate as yieldTurn } from 'node:timers/promises';
import { type DynamicModule, Module } from '@nestjs/common';
import { isAppError } from '@tidegate/kernel';
import type { ServiceContext } from '@tidegate/platform';
import type { z } from 'zod';
import type { Config } from './config.ts';
import { loadMigrations } from './migration/migrations.file.ts';
import { advance } from './run/advance.handler.ts';
import { createRuns } from './run/change-run.handler.ts';
import { RunConsumer } from './run/run.consumer.ts';
import { RunController } from './run/run.controller.ts';
import { runCollection } from './run/runs.ts';
import { openSqliteTarget } from './target/target.sqlite.ts';
import { createTargets } from './target/targets.ts';
import { MIGRATIONS, RUNS, WAKE } from './tokens.ts';

const RUNS_AT_ONCE = 4;

@Module({})
class MigrationRunnerModule {}

export async function migrationRunnerModule(
  context: ServiceContext,
  config: z.output<typeof Config>,
): Promise<DynamicModule> {
  const { store, execute, clock, ids, name, instance: holder, log } = context;
  const { leases } = store;
  const folder = config.MIGRATIONS_DIR;
  const migrations = folder === undefined ? new Map() : await loadMigrations(folder);
  const documents = store.documents(runCollection);
  const load = async (id: string) => (await documents.load(id))?.state;
  const runs = createRuns({ execute, documents, migrations, clock, ids, source: name });
  const targets = createTargets(config.MIGRATION_TARGETS, (url, access) =>
    openSqliteTarget(url.slice('sqlite:'.length), access),
  );
  const active = new Set<string>();
  const work = async (run: string): Promise<void> => {
    if (active.has(run)) return;
    active.add(run);
    try {
      await advance(
        {
          load,
          record: runs.record,
          migrations,
          targets,
          leases,
          holder,
          clock,
          yieldTurn: () => yieldTurn(),
        },
        run,
      );
    } catch (error) {
      if (!isAppError(error) || !error.retryable) throw error;
      log.warn({ run, err: error }, 'a migration run waits for its database or store');
    } finally {
      active.delete(run);
    }
  };
  const loop = context.loop('runs', config.MIGRATION_CHECK_MS, async () => {
    const due = await documents.claimDue(clock.now(), config.MIGRATION_CHECK_MS, RUNS_AT_ONCE);
    await Promise.all(due.map(work));
  });
  return {
    module: MigrationRunnerModule,
    controllers: [RunController, RunConsumer],
    providers: [
      { provide: RUNS, useValue: runs },
      { provide: MIGRATIONS, useValue: migrations },
      { provide: WAKE, useValue: () => loop.wake() },
    ],
  };
}
