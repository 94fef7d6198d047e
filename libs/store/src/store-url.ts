import { reject, type Rejection } from '@tidegate/kernel';

export interface SqliteUrl {
  readonly driver: 'sqlite';
  /** Relative to the working folder. */
  readonly file: string;
}

/** Where the store lives; the address may hold a password. */
export type StoreUrl = SqliteUrl | { readonly driver: 'mongodb'; readonly url: string };

/** Reads `sqlite:<file>`, `mongodb://…` or `mongodb+srv://…`. Refused with DRIVER_URL_MALFORMED, in words without a password. */
export function readStoreUrl(text: string): StoreUrl | Rejection {
  if (/^mongodb(\+srv)?:\/\/[^\s/?]+(\/[^\s]*)?$/.test(text))
    return { driver: 'mongodb', url: text };
  return (
    sqliteUrl(text) ??
    reject('DRIVER_URL_MALFORMED', 'must be sqlite:<file> or mongodb://<host>:<port>/<database>')
  );
}

/** Undefined for what is no `sqlite:<file>`. */
export function sqliteUrl(text: string): SqliteUrl | undefined {
  const file = /^sqlite:(?!\/\/)(.+)$/s.exec(text)?.[1];
  return file === undefined ? undefined : { driver: 'sqlite', file };
}

/** Where the store is, for people: without credentials and options. */
export const storeAddress = (url: StoreUrl): string =>
  url.driver === 'mongodb'
    ? url.url.replace(/\?.*$/s, '').replace(/\/\/.*@/s, '//')
    : `sqlite:${url.file}`;
