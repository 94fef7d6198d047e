import type { MigrationCommand, MigrationEvent } from '@tidegate/contracts';
import type { Clock, Ids } from '@tidegate/kernel';
import type { Documents, Execute, Outcome } from '@tidegate/store';
import type { Migrations } from '@tidegate/migration/files';
import { type AnyRunCommand, decideRun, evolveRun, initialRun, type Run } from './run.ts';
import { STORE_RESTORED } from './restored.ts';
import type { RunnerCommand } from './runner-command.ts';

export interface Runs {
  readonly documents: Documents<Run>;
  change(command: MigrationCommand): Promise<Outcome<Run>>;
  /** One of the runner's own commands. */
  record(run: string, command: Pick<RunnerCommand, 'type' | 'data'>): Promise<Outcome<Run>>;
  /** Pauses what was running in a backup that was put back; safe to repeat, also for several replicas. */
  pauseRestored(epoch: number): Promise<void>;
}

const PAGE = 200;

export function createRuns(deps: {
  execute: Execute;
  documents: Documents<Run>;
  migrations: Migrations;
  clock: Clock;
  ids: Ids;
  source: string;
}): Runs {
  const known = new Map([...deps.migrations].map(([id, { hash }]) => [id, hash]));
  const aggregate = (id: string) => ({
    documents: deps.documents,
    decider: { initial: initialRun, decide: decideRun(known, id), evolve: evolveRun },
  });
  const run = (id: string, command: AnyRunCommand) =>
    deps.execute<Run, AnyRunCommand, MigrationEvent>(aggregate(id), id, command);
  const metadata = (run: string, id = deps.ids.next()) => ({
    id,
    source: deps.source,
    at: deps.clock.now(),
    actor: deps.source,
    correlationId: run,
  });
  return {
    documents: deps.documents,
    change: (command) => run(command.data.run, command),
    record: (id, command) => run(id, { ...command, metadata: metadata(id) } as RunnerCommand),
    async pauseRestored(epoch) {
      for (let after: string | undefined; ;) {
        const query = { where: { status: 'running' }, after, limit: PAGE };
        const page = await deps.documents.list(query);
        for (const { id } of page) {
          const of = metadata(id, `${STORE_RESTORED}/${epoch}/${id}`);
          await run(id, { type: 'StoreRestored', data: { epoch }, metadata: of });
        }
        after = page.at(-1)?.id;
        if (page.length < PAGE) return;
      }
    },
  };
}
