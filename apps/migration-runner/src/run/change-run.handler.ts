import type {
  MigrationCommand,
  MigrationEvent,
  ResumeMigration,
  RunMigration,
} from '@tidegate/contracts';
import type { Clock, Ids, Rejection } from '@tidegate/kernel';
import type { Migrations } from '@tidegate/migration/files';
import type { Documents, Execute, Outcome } from '@tidegate/store';
import { type Known, refusalUnderLease } from '../migration/readiness.ts';
import type { KnownRun } from '../migration/standing.ts';
import { knownTo, runsWhere, type Where } from '../migration/standings.handler.ts';
import { type AnyRunCommand, decideRun } from './decide-run.ts';
import { evolveRun } from './evolve-run.ts';
import { STORE_RESTORED } from './restored.ts';
import { initialRun, type Run, type Work } from './run.ts';
import type { RunnerCommand } from './runner-command.ts';

export interface Runs {
  readonly documents: Documents<Run>;
  change(command: MigrationCommand): Promise<Outcome<Run>>;
  /** One of the runner's own commands. */
  record(run: string, command: Pick<RunnerCommand, 'type' | 'data'>): Promise<Outcome<Run>>;
  /** Of one migration, in no order that means anything. */
  of(migration: string): Promise<readonly KnownRun[]>;
  /** Why a run that was accepted or resumed must not touch anything: asked under the lease, before it does. */
  refusal(run: string, work: Work): Promise<Rejection | undefined>;
  /** Pauses what was running in a backup that was put back; safe to repeat, also for several replicas. */
  pauseRestored(epoch: number): Promise<void>;
}

export function createRuns(deps: {
  execute: Execute;
  documents: Documents<Run>;
  migrations: Migrations;
  clock: Clock;
  ids: Ids;
  source: string;
}): Runs {
  const { documents, migrations } = deps;
  const listed = (where: Where) => runsWhere(documents, where);
  const known = knownTo(migrations, listed);
  const nothing: Known = { migrations, standings: new Map(), others: [] };
  const run = (known: Known, id: string, command: AnyRunCommand) => {
    const decider = { initial: initialRun, decide: decideRun(known, id), evolve: evolveRun };
    return deps.execute<Run, AnyRunCommand, MigrationEvent>({ documents, decider }, id, command);
  };
  const metadata = (run: string, id = deps.ids.next()) => ({
    id,
    source: deps.source,
    at: deps.clock.now(),
    actor: deps.source,
    correlationId: run,
  });
  const knownFor = async (command: RunMigration | ResumeMigration): Promise<Known> => {
    const { data } = command;
    if (command.type === 'RunMigration') return known(command.data.migration, data.run);
    const state = (await documents.load(data.run))?.state;
    return state && state.status !== 'absent' ? known(state.work.migration, data.run) : nothing;
  };
  return {
    documents,
    change: async (command) => {
      const isStart = command.type === 'RunMigration' || command.type === 'ResumeMigration';
      return run(isStart ? await knownFor(command) : nothing, command.data.run, command);
    },
    record: (id, command) =>
      run(nothing, id, { ...command, metadata: metadata(id) } as RunnerCommand),
    of: (migration) => listed({ migration }),
    refusal: async (id, work) => refusalUnderLease(await known(work.migration, id), id, work),
    async pauseRestored(epoch) {
      for (const { id } of await listed({ status: 'running' })) {
        const of = metadata(id, `${STORE_RESTORED}/${epoch}/${id}`);
        await run(nothing, id, { type: 'StoreRestored', data: { epoch }, metadata: of });
      }
    },
  };
}
