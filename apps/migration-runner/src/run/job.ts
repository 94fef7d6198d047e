import type { Clock, Rejection } from '@tidegate/kernel';
import type { AnyMigration, Migration } from '@tidegate/migration';
import type { Migrations } from '@tidegate/migration/files';
import type { Faults, Outcome } from '@tidegate/store';
import type { AskSnapshot } from '../backup/snapshot.port.ts';
import type { Pacing, PacingDeps } from '../flow/pacing.handler.ts';
import type { Journal, Journals } from '../journal/journal.port.ts';
import type { KnownRun } from '../migration/standing.ts';
import type { Quarantine } from '../journal/quarantine.handler.ts';
import type { Target, Targets } from '../target/target.port.ts';
import type { Run, Work } from './run.ts';
import type { RunnerCommand } from './runner-command.ts';
import type { Shift, ShiftDeps } from './shift.handler.ts';

export interface AdvanceDeps extends ShiftDeps {
  /** Unique to this process. */
  readonly holder: string;
  readonly load: (run: string) => Promise<Run | undefined>;
  /** Runs one of the runner's own commands through `execute`. */
  readonly record: (
    run: string,
    command: Pick<RunnerCommand, 'type' | 'data'>,
  ) => Promise<Outcome<Run>>;
  /** Why a run must not begin, or go on, asked under its lease. */
  readonly refusal: (run: string, work: Work) => Promise<Rejection | undefined>;
  /** Of one migration, in no order that means anything. */
  readonly runsOf: (migration: string) => Promise<readonly KnownRun[]>;
  /** How long a cutover lets programs write before it counts again. */
  readonly settleMs: number;
  readonly migrations: Migrations;
  readonly targets: Targets;
  readonly journals: Journals;
  readonly quarantine: Quarantine;
  /** By the name of the database; where there is none, before-images are kept. */
  readonly snapshots: ReadonlyMap<string, AskSnapshot>;
  readonly pacing: Omit<PacingDeps, 'record'>;
  readonly faults: Faults;
}

type Data<T extends RunnerCommand['type']> = Omit<
  Extract<RunnerCommand, { readonly type: T }>['data'],
  'fence'
>;

/** One shift's work on one run: what every action works with. */
export interface Job<M extends AnyMigration = Migration> {
  readonly run: string;
  /** As it was when the shift began. */
  readonly work: Work;
  readonly migration: M;
  readonly target: Target;
  readonly journal: Journal;
  readonly quarantine: Quarantine;
  readonly snapshots: AdvanceDeps['snapshots'];
  readonly pacing: Pacing;
  readonly shift: Shift;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly migrations: Migrations;
  readonly targets: Targets;
  readonly runsOf: AdvanceDeps['runsOf'];
  readonly settleMs: number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Writes down what was found or done, under the shift's fence; resolves with the run as it is then. */
  record<T extends RunnerCommand['type']>(type: T, data: Data<T>): Promise<Run>;
}

/** What an action does: until it is done, or the shift ends. What it throws fails the run, unless it is retryable. */
export type Act<M extends AnyMigration> = (job: Job<M>) => Promise<void>;
