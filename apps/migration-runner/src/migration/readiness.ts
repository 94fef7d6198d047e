import { type MigrationAction, type RunMigration, runOptionProblems } from '@tidegate/contracts';
import { reject, type Rejection } from '@tidegate/kernel';
import { type AnyMigration, isDataMigration } from '@tidegate/migration';
import type { Migrations } from '@tidegate/migration/files';
import type { MigrationErrorCode } from '../errors.ts';
import { isBegun, OVERTAKEN, type Work } from '../run/run.ts';
import { overtakenBy } from './overtaken.ts';
import { type KnownRun, type Standing, untouched, writes } from './standing.ts';

/** What the rules know beside the run: the migrations that are loaded, and how those that matter to it stand. */
export interface Known {
  readonly migrations: Migrations;
  /** By migration; what is not in it has never been run. */
  readonly standings: ReadonlyMap<string, Standing>;
  /** The other runs of the same migration. */
  readonly others: readonly KnownRun[];
}

type Asked = Pick<RunMigration['data'], 'migration' | 'action'> & Partial<RunMigration['data']>;

/** Why a run cannot begin now; undefined if it can. The first line that applies decides. */
export function refusalToStart(known: Known, asked: Asked): Rejection | undefined {
  return unfitNow(known, asked) ?? busy(known, asked) ?? contradiction(asked);
}

/**
 * Asked again under the lease, before anything is touched: others may have been accepted, or resumed, at the same time.
 * That another run is to write is no reason then: it has ended, or not begun yet and is asked in its turn.
 */
export const refusalUnderLease = (known: Known, run: string, work: Work): Rejection | undefined =>
  isBegun(work) ? overtaken(known, run, work) : unfitNow(known, work);

function unfitNow(known: Known, asked: Asked): Rejection | undefined {
  const loaded = known.migrations.get(asked.migration);
  if (!loaded) return unknownMigration(known, asked.migration);
  const { migration, hash } = loaded;
  const standing = standingIn(known, asked.migration);
  return (
    unfit(migration, asked.action) ??
    changed(standing, hash, asked) ??
    unready(known, migration, standing, asked)
  );
}

/** A paused run goes on with the text it began with, and only while no other one writes or has undone what it rests on. */
export function refusalToResume(known: Known, run: string, work: Work): Rejection | undefined {
  const { migration, definitionHash } = work;
  if (known.migrations.get(migration)?.hash === definitionHash)
    return busy(known, work) ?? overtaken(known, run, work);
  return reject(
    'MIGRATION_CHANGED' satisfies MigrationErrorCode,
    `The text of ${migration} is not what ${run} began with; start a new run.`,
  );
}

function overtaken(known: Known, run: string, work: Work): Rejection | undefined {
  const other = overtakenBy(work, known.others);
  if (!other) return undefined;
  return reject(
    OVERTAKEN,
    `${other.id} (${other.run.work.action}) has changed documents of ${work.migration} since ${run} last did: cancel ${run} and start a new run.`,
  );
}

export const standingIn = ({ standings }: Known, migration: string): Standing =>
  standings.get(migration) ?? untouched;

/** Whose standing the rules ask for: its own, that of what it depends on, and of whatever depends on one of these. */
export function concerned(migrations: Migrations, id: string): readonly string[] {
  const near = [id, ...(migrations.get(id)?.migration.dependsOn ?? [])];
  const dependents = [...migrations.values()].filter(({ migration }) =>
    migration.dependsOn?.some((each) => near.includes(each)),
  );
  return [...new Set([...near, ...dependents.map(({ migration }) => migration.id)])];
}

const unknownMigration = ({ migrations }: Known, id: string): Rejection =>
  reject(
    'MIGRATION_UNKNOWN',
    `There is no migration ${id}; the runner knows ${[...migrations.keys()].join(', ') || 'none'}.`,
  );

const ACTIONS: Readonly<Record<'schema' | 'cutover', readonly MigrationAction[]>> = {
  schema: ['plan', 'execute', 'verify', 'revert'],
  cutover: ['plan', 'execute', 'verify', 'revert', 'cutover'],
};

function unfit(migration: AnyMigration, action: MigrationAction): Rejection | undefined {
  if (isDataMigration(migration)) return undefined;
  const { id, phase } = migration;
  const fitting = ACTIONS[phase];
  if (fitting.includes(action)) return undefined;
  return reject(
    'MIGRATION_ACTION_UNFIT',
    `${id} is a migration of the phase ${phase}: there is no ${action} of it; expected ${fitting.join(', ')}.`,
  );
}

function changed(
  { text }: Standing,
  hash: string,
  { migration, acceptChange }: Asked,
): Rejection | undefined {
  if (!text || text.hash === hash || acceptChange !== undefined) return undefined;
  return reject(
    'MIGRATION_CHANGED' satisfies MigrationErrorCode,
    `The text of ${migration} is not what ${text.run} executed. Put the old text back, revert it first, or say with acceptChange why the new text is right.`,
  );
}

const notReady = (message: string): Rejection =>
  reject('MIGRATION_NOT_READY' satisfies MigrationErrorCode, message);

function unready(
  known: Known,
  migration: AnyMigration,
  standing: Standing,
  { action, backup, onFailure }: Asked,
): Rejection | undefined {
  switch (action) {
    case 'execute':
      return (
        unmetDependency(known, migration) ??
        (onFailure === 'revert'
          ? (noWayBack(migration, standing, backup) ?? restedOn(known, migration, standing))
          : undefined)
      );
    case 'cutover':
      return isDataMigration(migration)
        ? unverified(known, migration.id)
        : unmetDependency(known, migration);
    case 'verify':
      return onFailure === 'revert'
        ? (forgotten(migration, standing) ?? restedOn(known, migration, standing))
        : undefined;
    case 'revert':
      return irrevertible(known, migration, standing);
    case 'cleanup':
      return keptFor(known, migration, standing);
    case 'plan':
    case 'backup':
      return undefined;
  }
}

/** What an execute needs: all that it depends on is done; of a cutover and of what is taken away after it, more. */
function unmetDependency(known: Known, migration: AnyMigration): Rejection | undefined {
  const { id, phase = 'data', dependsOn = [] } = migration;
  for (const dependency of dependsOn) {
    const { done } = standingIn(known, dependency);
    if (!known.migrations.has(dependency))
      return notReady(`${id} depends on ${dependency}, which the runner does not know.`);
    if (done !== 'all')
      return notReady(
        `${id} depends on ${dependency}, which is ${done === 'nothing' ? 'not executed' : 'executed in part'}.`,
      );
    const more =
      phase === 'cutover'
        ? unverified(known, dependency)
        : phase === 'cleanup'
          ? notCutOver(known, dependency, `${id} takes away what only the old form needs`)
          : undefined;
    if (more) return more;
  }
  return phase === 'cleanup' && dependsOn.length === 0
    ? notReady(
        `${id} takes away what only the old form needs: expected dependsOn with its cutover.`,
      )
    : undefined;
}

/** A schema has no reads that could be switched. */
function notCutOver(known: Known, id: string, why: string): Rejection | undefined {
  const { phase } = known.migrations.get(id)?.migration ?? {};
  if (phase === 'schema' || isCutOver(known, id)) return undefined;
  return notReady(`${why}, and the cutover of ${id} has not been completed.`);
}

const isCutOver = (known: Known, id: string): boolean =>
  standingIn(known, id).cutOver ||
  [...known.migrations.values()].some(({ migration }) => {
    if (migration.phase !== 'cutover') return false;
    const concerns = migration.id === id || migration.dependsOn.includes(id);
    return concerns && standingIn(known, migration.id).done === 'all';
  });

/** Of a schema: nothing can be asked that its execute has not shown. */
function unverified(known: Known, id: string): Rejection | undefined {
  const loaded = known.migrations.get(id);
  if (loaded?.migration.phase === 'schema') return undefined;
  const { done, verified } = standingIn(known, id);
  if (done !== 'all') return notReady(`${id} is not executed, or only in part.`);
  if (verified === loaded?.hash) return undefined;
  return notReady(`${id} is not verified since it was last executed, or not with this text.`);
}

function noWayBack(
  migration: AnyMigration,
  standing: Standing,
  backup: Asked['backup'],
): Rejection | undefined {
  const isLost = backup === 'none' && isDataMigration(migration) && migration.down === undefined;
  if (!isLost) return forgotten(migration, standing);
  return notReady(
    `${migration.id} has no down and no before-images would be kept: onFailure: revert could undo nothing.`,
  );
}

const forgotten = ({ id }: AnyMigration, { forgottenBy }: Standing): Rejection | undefined =>
  forgottenBy === undefined
    ? undefined
    : notReady(`The way back of ${id} was given up by the cleanup ${forgottenBy}.`);

function irrevertible(
  known: Known,
  migration: AnyMigration,
  standing: Standing,
): Rejection | undefined {
  const { id, phase } = migration;
  // What is half built leaves no trace in counts.
  if (standing.done === 'nothing' && phase !== 'schema')
    return reject('MIGRATION_NOT_EXECUTED', `${id} is not executed: there is nothing to undo.`);
  const dependent = executedDependent(known, id);
  if (dependent !== undefined)
    return notReady(`Revert ${dependent} first: it depends on ${id} and is executed.`);
  return forgotten(migration, standing);
}

const executedDependent = (known: Known, id: string): string | undefined =>
  [...known.migrations.values()].find(
    ({ migration: other }) =>
      other.dependsOn?.includes(id) === true && standingIn(known, other.id).done !== 'nothing',
  )?.migration.id;

/** What others, or reads that are switched, rest on is not taken away by itself either. */
function restedOn(
  known: Known,
  migration: AnyMigration,
  { cutOver }: Standing,
): Rejection | undefined {
  const { id } = migration;
  if (cutOver && isDataMigration(migration))
    return notReady(
      `${id} is cut over: onFailure: revert would take away the form that is read. Leave it out, or switch back and revert ${id} first.`,
    );
  const dependent = executedDependent(known, id);
  if (dependent === undefined) return undefined;
  return notReady(
    `${dependent} depends on ${id} and is executed: onFailure: revert would take away what it rests on. Leave it out, or revert ${dependent} first.`,
  );
}

function keptFor(known: Known, { id }: AnyMigration, { done }: Standing): Rejection | undefined {
  if (done !== 'all')
    return notReady(`${id} is not executed, or only in part: its before-images are still needed.`);
  return notCutOver(known, id, `A cleanup gives up the way back of ${id}`);
}

function busy(known: Known, { migration, action }: Asked): Rejection | undefined {
  const [other] = standingIn(known, migration).writing;
  if (!other || !writes(action)) return undefined;
  return reject(
    'MIGRATION_BUSY',
    `${other.id} (${other.action}) of ${migration} is under way; wait for its end, or pause or cancel it.`,
  );
}

function contradiction(asked: Asked): Rejection | undefined {
  const problems = runOptionProblems(asked);
  if (problems.length === 0) return undefined;
  const told = problems.map(({ path, message }) => `${path.join('.')} ${message}`);
  return reject('RUN_OPTIONS_CONTRADICT', `${told.join('; ')}.`);
}
