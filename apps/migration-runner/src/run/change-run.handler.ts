import type { MigrationCommand, MigrationEvent } from '@tidegate/contracts';
import type { Clock, Ids } from '@tidegate/kernel';
import type { Documents, Execute, Outcome } from '@tidegate/store';
import type { Migrations } from '../migration/migrations.port.ts';
import { decideRun, evolveRun, initialRun, type Run } from './run.ts';
import type { RunnerCommand } from './runner-command.ts';

export interface Runs {
  readonly documents: Documents<Run>;
  change(command: MigrationCommand): Promise<Outcome<Run>>;
  /** One of the runner's own commands. */
  record(run: string, command: Pick<RunnerCommand, 'type' | 'data'>): Promise<Outcome<Run>>;
}

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
  const run = (id: string, command: MigrationCommand | RunnerCommand) =>
    deps.execute<Run, MigrationCommand | RunnerCommand, MigrationEvent>(aggregate(id), id, command);
  return {
    documents: deps.documents,
    change: (command) => run(command.data.run, command),
    record: (id, command) =>
      run(id, {
        ...command,
        metadata: {
          id: deps.ids.next(),
          source: deps.source,
          at: deps.clock.now(),
          actor: deps.source,
          correlationId: id,
        },
      } as RunnerCommand),
  };
}
