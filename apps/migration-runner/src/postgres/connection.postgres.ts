import { AppError, isAppError, messageOf } from '@tidegate/kernel';
import pg from 'pg';
import type { MigrationErrorCode } from '../errors.ts';
import { WRITE_MS } from '../target/target.port.ts';

export type Access = 'read' | 'write';
/** Every value as the text that the database sent. */
export type Texts = Readonly<Record<string, string | null>>;
/** Everything is sent as text, and cast where it is used. */
export type Values = readonly (string | number | null)[];

/** What a query gave: each row has its texts in the order of the names. */
export interface Table {
  readonly names: readonly string[];
  /** Names with types: the same for the same columns. */
  readonly columns: string;
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface Connection {
  /** Thrown as an AppError of `migrationErrorCodes`. */
  query(sql: string, values?: Values): Promise<readonly Texts[]>;
  /** The same, for many rows. */
  table(sql: string, values?: Values): Promise<Table>;
}

export interface Connections extends Connection {
  /**
   * In one transaction, which sees of each row what is committed when it is read. Until it goes back to its savepoint `begun`
   * it waits for no lock longer than SHORT_WAIT_MS.
   */
  transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T>;
  /** However long it takes, and however long it has to wait for others: an index is built while they write. */
  patiently(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** A page may be read while a batch is written, and progress looked at. */
const CONNECTIONS = 4;
const CONNECT_WITHIN_MS = 5_000;
/** The longest wait for a lock that somebody else holds. */
const LOCK_WAIT_MS = 2_000;
/** Less than a database waits before it looks for a deadlock (1 s): whoever gives up before is no part of one. */
const SHORT_WAIT_MS = 20;
/** After that a connection is taken for dead. */
const SILENT_MS = 600_000;
const KEEP_ALIVE_MS = 10_000;

export function connect(url: string, access: Access): Connections {
  const pool = poolOf(url, access);
  // What was idle when it broke is replaced by the next query, which tells of what is wrong then.
  pool.on('error', quiet);
  const connection = queries(pool, access);
  return {
    ...connection,
    transaction: async (work) => {
      const client = await clientOf(pool, access);
      client.on('error', quiet);
      const own = queries(client, access);
      // Also where the server is silent: what it does not commit it rolls back.
      const timer = setTimeout(() => void client.end(), WRITE_MS);
      try {
        await own.query(
          `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = ${WRITE_MS}; SAVEPOINT begun; ` +
            `SET LOCAL lock_timeout = ${SHORT_WAIT_MS}`,
        );
        const result = await work(own);
        await own.query('COMMIT');
        client.off('error', quiet);
        client.release();
        return result;
      } catch (error) {
        // Closing it rolls back, also where the server no longer answers.
        client.release(true);
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    patiently: async (sql) => {
      const client = new pg.Client({ ...configOf(url, access), query_timeout: 0 });
      client.on('error', quiet);
      try {
        await client.connect();
        await client.query('SET lock_timeout = 0');
        await client.query(sql);
      } catch (error) {
        throw named(error, access);
      } finally {
        await client.end();
      }
    },
    close: async () => {
      if (!pool.ending) await pool.end();
    },
  };
}

/** What is asked next tells of it. */
const quiet = (): void => undefined;

const asText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

const poolOf = (address: string, access: Access): pg.Pool =>
  new pg.Pool({
    ...configOf(address, access),
    max: CONNECTIONS,
    allowExitOnIdle: true,
    onConnect: (client) => provenReadOnly(client, access) as unknown as void, // which is awaited
  });

function configOf(address: string, access: Access): pg.ClientConfig {
  const url = URL.parse(address);
  if (!url)
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_TARGET_FAILED',
      'The address of the database is no URL: expected postgres://user:password@host:port/database.',
    );
  // What the address says of the session comes first: ours must hold.
  const options = [url.searchParams.get('options') ?? '', ...settings(access)].join(' ').trim();
  url.searchParams.delete('options');
  return {
    connectionString: url.href,
    options,
    application_name: 'tidegate migration-runner',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    query_timeout: SILENT_MS,
    types: asText,
  };
}

const settings = (access: Access): readonly string[] =>
  [
    `default_transaction_read_only=${access === 'read' ? 'on' : 'off'}`,
    `lock_timeout=${LOCK_WAIT_MS}`,
    'synchronous_commit=on',
    'timezone=UTC',
    'datestyle=ISO',
    'intervalstyle=iso_8601',
    'bytea_output=hex',
    'extra_float_digits=1',
  ].map((each) => `-c ${each}`);

/** A pooler in between may drop settings: then nothing is read. */
async function provenReadOnly(client: pg.ClientBase, access: Access): Promise<void> {
  if (access === 'write') return;
  const { rows } = await client.query<{ value: string }>(
    `SELECT current_setting('transaction_read_only') AS value`,
  );
  if (rows[0]?.value !== 'on')
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_TARGET_UNSUPPORTED',
      'The server does not keep a connection for reading to reading; connect to it without a pooler.',
    );
}

async function clientOf(pool: pg.Pool, access: Access): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw named(error, access);
  }
}

function queries(client: pg.Pool | pg.PoolClient, access: Access): Connection {
  const orNamed = async <T>(result: Promise<T>): Promise<T> => {
    try {
      return await result;
    } catch (error) {
      throw named(error, access);
    }
  };
  return {
    query: async (text, values) => (await orNamed(client.query<Texts>(text, copied(values)))).rows,
    table: async (text, values = []) => {
      const query: pg.QueryArrayConfig = { text, values: [...values], rowMode: 'array' };
      const { fields, rows } = await orNamed(client.query<(string | null)[]>(query));
      const columns = fields.map(
        (each) => `${each.name} ${each.dataTypeID} ${each.dataTypeModifier}`,
      );
      return { names: fields.map(({ name }) => name), columns: columns.join(), rows };
    },
  };
}

/** Several statements at once are possible only without values. */
const copied = (values: Values | undefined) => values && [...values];

/** Classes of SQLSTATE, or whole codes: away or full, cannot be serialised, cancelled, locked. */
const PASSES = /^(08|53|57|58|40|55P03|55006)/;
const DENIED = /^(28|42501)/;
const REFUSED = /^(22|23|44)/;
const LOCKED = '55P03';
/** Of Node, and of the driver, whose errors have no code. */
const AWAY = /^E[A-Z]+$/;
const DRIVER =
  /connection terminated|timeout|not queryable|client was closed|server closed|ended unexpectedly/i;

/** A document that the database does not take: its values, or a constraint. */
export const isRefusal = (error: unknown): boolean => REFUSED.test(stateOf(error));

/** Somebody else holds a lock, for longer than the session waits. */
export const isLocked = (error: unknown): boolean => stateOf(error) === LOCKED;

const stateOf = (error: unknown): string =>
  isAppError(error) ? String((error.cause as { code?: unknown } | undefined)?.code) : '';

function named(error: unknown, access: Access): AppError {
  if (isAppError(error)) return error;
  const { code = '' } = error as { code?: string };
  const words = messageOf(error) || code;
  const refusal = (name: MigrationErrorCode): AppError<MigrationErrorCode> =>
    new AppError(name, `The database refused: ${words}`, { cause: error });
  if (code === '25006' && access === 'write') return refusal('MIGRATION_TARGET_READ_ONLY');
  if (DENIED.test(code)) return refusal('MIGRATION_TARGET_DENIED');
  if (!PASSES.test(code) && !AWAY.test(code) && !(code === '' && DRIVER.test(words)))
    return refusal('MIGRATION_TARGET_FAILED');
  return new AppError<MigrationErrorCode>(
    'MIGRATION_TARGET_UNREACHABLE',
    `The database does not work now: ${words}`,
    { cause: error, retryable: true },
  );
}
