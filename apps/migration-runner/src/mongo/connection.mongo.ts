import mongoose, { type Connection, type mongo } from 'mongoose';
import { AppError, messageOf } from '@tidegate/kernel';
import type { MigrationErrorCode } from '../errors.ts';
import { isUntold, named } from './failure.mongo.ts';

const SELECTION_MS = 5_000;
const NOT_IMPLEMENTED = 238;

/** All that a connection for reading sends. */
const READS = new Set([
  'aggregate',
  'buildInfo',
  'connectionStatus',
  'dbStats',
  'endSessions',
  'explain',
  'find',
  'getMore',
  'hello',
  'killCursors',
  'listCollections',
  'listIndexes',
  'ping',
  'replSetGetStatus',
  'serverStatus',
]);

/** Made when it is first asked for, and again after it could not be made. */
export interface MongoConnection {
  db(): Promise<mongo.Db>;
  /** Whether the server computes in a filter; FerretDB 1.24 does not. */
  hasExpressions(collection: string): Promise<boolean>;
  close(): Promise<void>;
}

/** What the driver is about to send, a connection for reading refuses unless it only reads. */
export function mongoConnection(url: string, access: 'read' | 'write'): MongoConnection {
  let opening: Promise<Connection> | undefined;
  let hasExpressions: boolean | undefined;
  const open = (): Promise<Connection> =>
    (opening ??= connect(url, access).catch((error: unknown) => {
      opening = undefined;
      throw error;
    }));
  const db = async (): Promise<mongo.Db> => {
    const connection = await open();
    return connection.getClient().db(connection.name);
  };
  return {
    db,
    hasExpressions: async (collection) =>
      (hasExpressions ??= await computes((await db()).collection(collection))),
    close: async () => {
      const connection = await opening?.catch(() => undefined); // it was told to whoever asked
      opening = undefined;
      await connection?.close();
    },
  };
}

async function connect(url: string, access: 'read' | 'write'): Promise<Connection> {
  if (!/^mongodb(\+srv)?:\/\/[^/]+\/[^?]+/.test(url))
    throw failed('its URL names no database: expected mongodb://<host>/<database>');
  try {
    const connection = mongoose.createConnection(url, {
      appName: 'tidegate-migration-runner',
      maxPoolSize: 4,
      serverSelectionTimeoutMS: SELECTION_MS,
      ignoreUndefined: true,
      writeConcern: { w: 'majority', journal: true },
      monitorCommands: access === 'read',
    });
    await connection.asPromise();
    if (access === 'read') connection.getClient().on('commandStarted', refuseWrites);
    return connection;
  } catch (error) {
    // It repeats what it could not read, and that is the URL with its password.
    const isParse = /Parse|Runtime|InvalidArgument|APIError|TypeError/.test(nameOf(error));
    throw isParse ? failed('its URL cannot be understood') : named(error);
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : messageOf(error));

const failed = (why: string): AppError<MigrationErrorCode> =>
  new AppError('MIGRATION_TARGET_FAILED', `The database cannot be used: ${why}.`);

/** The driver tells of a command before it sends it: what is thrown here is what the caller gets instead. */
function refuseWrites({ commandName, command }: mongo.CommandStartedEvent): void {
  const stages = (command['pipeline'] ?? []) as readonly object[];
  if (READS.has(commandName) && !stages.some((each) => '$out' in each || '$merge' in each)) return;
  throw failed(`a connection for reading does not send ${commandName}`);
}

async function computes(collection: mongo.Collection): Promise<boolean> {
  try {
    await collection
      .find({ $expr: { $eq: [1, 1] } }, { projection: { _id: 1 } })
      .limit(1)
      .toArray();
    return true;
  } catch (error) {
    if (isUntold(error) && Reflect.get(Object(error), 'code') === NOT_IMPLEMENTED) return false;
    throw error;
  }
}
