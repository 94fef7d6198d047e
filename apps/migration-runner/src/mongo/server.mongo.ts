import type { mongo } from 'mongoose';
import { AppError } from '@tidegate/kernel';
import { conditionsOf } from '@tidegate/migration';
import type { MigrationErrorCode } from '../errors.ts';
import type { Health, Reading, Selection } from '../target/target.port.ts';
import { isUntold } from './failure.mongo.ts';
import { keyField } from './keys.mongo.ts';
import { queryOf } from './query.mongo.ts';

/** Its name, and that it takes what the connection is for. */
export async function serverOf(db: mongo.Db, access: 'read' | 'write'): Promise<string> {
  const { version, ferretdbVersion } = await db.command({ buildInfo: 1 });
  const hello = await db.command({ hello: 1 });
  // Answered only to those who have logged in where one has to.
  await db.command({ listCollections: 1, nameOnly: true, authorizedCollections: true });
  if (access === 'write' && (hello['readOnly'] === true || hello['isWritablePrimary'] === false))
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_TARGET_READ_ONLY',
      'The server takes no writes: it is read-only, or no primary.',
    );
  const set = hello['setName'] === undefined ? '' : `, replica set ${hello['setName']}`;
  return ferretdbVersion === undefined
    ? `MongoDB ${version}${set}`
    : `FerretDB that answers as MongoDB ${version}`;
}

/** What the server's own commands tell; who may not ask, or asks another server, is told less. */
export async function healthOf(db: mongo.Db): Promise<Health> {
  const detail: string[] = [];
  const ask = async (command: string): Promise<mongo.Document> => {
    try {
      const commands = command === 'dbStats' ? db : db.admin();
      return await commands.command({ [command]: 1 });
    } catch (error) {
      if (!isUntold(error)) throw error;
      detail.push(`${command}: not told to this user, or not by this server`);
      return {};
    }
  };
  const status = await ask('serverStatus');
  const stats = await ask('dbStats');
  const hello = await db.command({ hello: 1 });
  const set = hello['setName'] === undefined ? {} : await ask('replSetGetStatus');
  const active = status['globalLock']?.activeClients?.total as number | undefined;
  const waiting = status['globalLock']?.currentQueue?.total as number | undefined;
  const [size, used] = [stats['fsTotalSize'], stats['fsUsedSize']] as (number | undefined)[];
  const lag = lagOf(set);
  if (hello['setName'] === undefined) detail.push('no replica set: nothing is replicated');
  if (active === undefined) detail.push('active operations and queue: not told by this server');
  if (size === undefined) detail.push('free disk: not told by this server');
  return {
    ...(lag === undefined ? {} : { replicationLagMs: lag }),
    ...(active === undefined ? {} : { load: active + (waiting ?? 0) }),
    ...(size === undefined || used === undefined ? {} : { freeBytes: size - used }),
    ...(waiting === undefined ? {} : { waiting }),
    detail,
  };
}

interface Member {
  readonly state: number;
  readonly optimeDate?: Date;
}
const PRIMARY = 1;
const SECONDARY = 2;

/** Of the secondary that is furthest behind. */
function lagOf(status: mongo.Document): number | undefined {
  const members = (status['members'] ?? []) as readonly Member[];
  const at = (state: number) =>
    members.filter((each) => each.state === state).map((each) => each.optimeDate?.getTime() ?? 0);
  const [primary] = at(PRIMARY);
  const secondaries = at(SECONDARY);
  if (primary === undefined || secondaries.length === 0) return undefined;
  return Math.max(0, primary - Math.min(...secondaries));
}

interface Stage {
  readonly indexName?: string;
  readonly indexBounds?: Readonly<Record<string, readonly string[]>>;
}

export async function readingOf(db: mongo.Db, selection: Selection): Promise<Reading> {
  const collection = db.collection(selection.collection);
  const plan = (await collection
    .find(queryOf(selection.filters))
    .sort({ [keyField(selection)]: 1 })
    .explain('queryPlanner')) as { queryPlanner?: mongo.Document };
  const winning = plan.queryPlanner?.['winningPlan'] as unknown;
  if (winning === undefined) return guessed(collection, selection, plan.queryPlanner);
  const detail = JSON.stringify(winning).slice(0, 2_000);
  const index = stagesOf(winning).find(({ indexName, indexBounds }) =>
    indexName === undefined ? false : isNarrow(indexBounds ?? {}),
  )?.indexName;
  return { detail, ...(index === undefined ? {} : { index }) };
}

const stagesOf = (value: unknown): readonly Stage[] =>
  typeof value === 'object' && value !== null
    ? [value, ...Object.values(value).flatMap(stagesOf)]
    : [];

const isNarrow = (bounds: NonNullable<Stage['indexBounds']>): boolean =>
  Object.values(bounds).some((each) => each.join() !== '[MinKey, MaxKey]');

/** FerretDB explains itself in words of its own: then by what an index begins with. */
async function guessed(
  collection: mongo.Collection,
  { filters }: Selection,
  said: unknown,
): Promise<Reading> {
  const paths = new Set(
    filters.flatMap(conditionsOf).flatMap((each) => ('anyOf' in each ? [] : [each.path.join('.')])),
  );
  const indexes = (await collection.listIndexes().toArray()) as { name: string; key: object }[];
  const index = indexes.find(({ key }) => paths.has(Object.keys(key)[0] ?? ''))?.name;
  const detail = `the server does not name an index: ${JSON.stringify(said)}`;
  return index === undefined
    ? { detail }
    : { index, detail: `${detail}; ${index} begins with what is asked for` };
}
