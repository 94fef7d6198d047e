import { join } from 'node:path';
import { AppError, type Clock, isRejection } from '@tidegate/kernel';
import type { MongoStore, SqliteStore, StoreUrl } from '@tidegate/store';
import type { Env } from '../http/services.ts';

const clock: Clock = { now: () => Date.now() };
const options = { clock, mustExist: true };

export interface OpenedStore {
  /** Where it is, without a password. */
  readonly where: string;
  readonly isShared: boolean;
  readonly store: MongoStore | SqliteStore;
}

/**
 * The services' own store, found as they find it: STORE_URL, else store.db in DATA_DIR. Nothing is made.
 * Thrown CLI_USAGE for an address that is none; STORE_MISSING, STORE_IN_USE, STORE_UNREACHABLE.
 */
export async function openStore(env: Env): Promise<OpenedStore> {
  // Only who needs it pays for loading drivers.
  const { openMongoStore, openSqliteStore, readStoreUrl, storeAddress } =
    await import('@tidegate/store');
  const { STORE_URL, DATA_DIR = '.tidegate' } = env;
  const url: StoreUrl | ReturnType<typeof readStoreUrl> =
    STORE_URL === undefined || STORE_URL === ''
      ? { driver: 'sqlite', file: join(DATA_DIR, 'store.db') }
      : readStoreUrl(STORE_URL);
  if (isRejection(url)) throw new AppError('CLI_USAGE', `STORE_URL ${url.message}.`);
  const where = storeAddress(url);
  return url.driver === 'mongodb'
    ? { where, isShared: true, store: await openMongoStore({ url: url.url, ...options }) }
    : { where, isShared: false, store: await openSqliteStore({ file: url.file, ...options }) };
}
