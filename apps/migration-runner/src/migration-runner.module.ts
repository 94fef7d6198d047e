import { setImmediate as yieldTurn, setTimeout as sleep } from 'node:timers/promises';
import { type DynamicModule, Module } from '@nestjs/common';
import type { ServiceContext } from '@tidegate/platform';
import { restoresOf } from '@tidegate/store';
import type { z } from 'zod';
import { type Config, targetUrls } from './config.ts';
import { loadMigrations, type Migrations } from '@tidegate/migration/files';
import { snapshotWebhook } from './backup/snapshot.webhook.ts';
import { flowOf } from './flow/flow.module.ts';
import { createJournals } from './journal/journal.handler.ts';
import { createQuarantine, type Quarantined } from './journal/quarantine.handler.ts';
import { MigrationController } from './migration/migration.controller.ts';
import { createListQuarantined } from './migration/quarantined.handler.ts';
import { advance, type Wait } from './run/advance.handler.ts';
import { createRuns, type Runs } from './run/change-run.handler.ts';
import type { AdvanceDeps } from './run/job.ts';
import { RunConsumer } from './run/run.consumer.ts';
import { RunController } from './run/run.controller.ts';
import { runCollection } from './run/runs.ts';
import { openMongoTarget } from './target/target.mongo.ts';
import { openPostgresTarget } from './target/target.postgres.ts';
import { createTurns } from './run/turns.ts';
import { openSqliteTarget } from './target/target.sqlite.ts';
import { createTargets } from './target/targets.ts';
import { LIST_QUARANTINED, MIGRATIONS, RUNS, WAITS, WAKE } from './tokens.ts';

const SNAPSHOT_TIMEOUT_MS = 10_000;
const RUNS_AT_ONCE = 4;
/** More than can be worked on: those that wait for a lease are due as well. */
const RUNS_LOOKED_AT = 50;
/** Looks for runs, to one count of them. */
const METRICS_EVERY = 5;

@Module({})
class MigrationRunnerModule {}

export async function migrationRunnerModule(
  context: ServiceContext,
  config: z.output<typeof Config>,
): Promise<DynamicModule> {
  const { store, execute, faults, clock, ids, name, instance: holder, log } = context;
  const migrations = await migrationsIn(config.MIGRATIONS_DIR);
  const documents = store.documents(runCollection);
  const runs = createRuns({ execute, documents, migrations, clock, ids, source: name });
  await pauseIfRestored(context, runs);
  const targets = createTargets(targetUrls(config), openTarget);
  const flow = flowOf(context, documents, METRICS_EVERY * config.MIGRATION_CHECK_MS);
  const quarantined = store.projection<Quarantined>('migration-quarantine');
  const waits = new Map<string, Wait>();
  const parts: AdvanceDeps = {
    load: async (id) => (await documents.load(id))?.state,
    record: flow.measured(runs.record),
    refusal: runs.refusal,
    runsOf: runs.of,
    settleMs: config.MIGRATION_SETTLE_MS,
    pacing: flow.pacing,
    journals: createJournals(store.projection('migration-journal'), {
      clock,
      maxBytes: config.MIGRATION_BACKUP_MAX_BYTES,
    }),
    snapshots: new Map(
      [...config.MIGRATION_SNAPSHOTS].map(([target, url]) => [
        target,
        snapshotWebhook(url, { timeoutMs: SNAPSHOT_TIMEOUT_MS }),
      ]),
    ),
    quarantine: createQuarantine(quarantined, { clock }),
    migrations,
    targets,
    faults,
    leases: store.leases,
    holder,
    clock,
    stopping: context.stopping,
    yieldTurn: () => yieldTurn(),
    sleep: (ms) => sleep(ms, undefined, { ref: false }),
  };
  const loop = loopOver(context, documents, config.MIGRATION_CHECK_MS, worker(parts, waits, log));
  return {
    module: MigrationRunnerModule,
    controllers: [MigrationController, RunController, RunConsumer, ...flow.controllers],
    providers: [
      ...flow.providers,
      { provide: RUNS, useValue: runs },
      { provide: MIGRATIONS, useValue: migrations },
      {
        provide: LIST_QUARANTINED,
        useValue: createListQuarantined(quarantined, migrations, targets),
      },
      { provide: WAITS, useValue: waits },
      { provide: WAKE, useValue: () => loop.wake() },
    ],
  };
}

function loopOver(
  context: ServiceContext,
  documents: Runs['documents'],
  everyMs: number,
  work: (run: string) => Promise<void>,
) {
  const active = new Map<string, Promise<void>>();
  const turns = createTurns();
  context.onPage(() => underWay([...active.keys()]));
  context.onStop(async () => void (await Promise.all(active.values())));
  return context.loop('runs', everyMs, async () => {
    const due = await documents.claimDue(context.clock.now(), everyMs, RUNS_LOOKED_AT);
    for (const run of turns.inOrder(due)) {
      if (active.has(run) || active.size >= RUNS_AT_ONCE) continue;
      turns.took(run);
      // Not awaited: a long run must not keep the others waiting.
      active.set(
        run,
        work(run).finally(() => active.delete(run)),
      );
    }
  });
}

/** Works on a run, and remembers what it waits for meanwhile. Never rejects: the run is tried again. */
function worker(parts: AdvanceDeps, waits: Map<string, Wait>, log: ServiceContext['log']) {
  return async (run: string): Promise<void> => {
    const told = (wait: Wait | undefined): void => {
      if (wait && wait.message !== waits.get(run)?.message)
        log.warn({ run, ...wait }, 'a run waits');
      if (wait) waits.set(run, wait);
      else waits.delete(run);
    };
    try {
      await advance(parts, run, told);
    } catch (error) {
      log.error({ run, err: error }, 'working on a run failed; it is tried again');
    }
  };
}

/** By the scheme of an address; others are refused with the options. */
const openTarget: Parameters<typeof createTargets>[1] = (url, access) => {
  if (url.startsWith('sqlite:')) return openSqliteTarget(url.slice('sqlite:'.length), access);
  return url.startsWith('mongodb') ? openMongoTarget(url, access) : openPostgresTarget(url, access);
};

const migrationsIn = async (folder: string | undefined): Promise<Migrations> =>
  folder === undefined ? new Map() : loadMigrations(folder);

/** Before anybody works on them: runs of a restored backup do not go on by themselves. */
async function pauseIfRestored(
  { store, name }: Pick<ServiceContext, 'store' | 'name'>,
  runs: Pick<Runs, 'pauseRestored'>,
): Promise<void> {
  const restores = restoresOf(store, name);
  if ((await restores.unsettledSince()) === undefined) return;
  await runs.pauseRestored(store.epoch);
  await restores.settle();
}

/** For a page. */
const underWay = (runs: readonly string[]): string | undefined =>
  runs.length === 0
    ? undefined
    : `Migration runs under way here: ${runs.join(', ')}; a run that cannot write down how far it got goes on from there later.`;
