import { type KafkaAddress, kafkaUrl } from '@tidegate/bus';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';

export interface SqliteUrl {
  readonly driver: 'sqlite';
  /** Relative to the working folder. */
  readonly file: string;
}

/** Where the bus lives. */
export type BusUrl = SqliteUrl | ({ readonly driver: 'kafka' } & KafkaAddress);
/** Where the store lives; the address may hold a password. */
export type StoreUrl = SqliteUrl | { readonly driver: 'mongodb'; readonly url: string };

const malformed = (message: string): Rejection => reject('DRIVER_URL_MALFORMED', message);

/** Reads `sqlite:<file>` or what `kafkaUrl` reads. Refused with DRIVER_URL_MALFORMED, in words without a password. */
export function readBusUrl(text: string): BusUrl | Rejection {
  if (text.startsWith('kafka:')) {
    const address = kafkaUrl(text);
    return isRejection(address) ? address : { driver: 'kafka', ...address };
  }
  return (
    sqliteUrl(text) ??
    malformed('must be sqlite:<file> or kafka://<host>:<port>[,<host>:<port> …][?…]')
  );
}

/** Reads `sqlite:<file>`, `mongodb://…` or `mongodb+srv://…`. Refused with DRIVER_URL_MALFORMED, in words without a password. */
export function readStoreUrl(text: string): StoreUrl | Rejection {
  if (/^mongodb(\+srv)?:\/\/[^\s/?]+(\/[^\s]*)?$/.test(text))
    return { driver: 'mongodb', url: text };
  return (
    sqliteUrl(text) ?? malformed('must be sqlite:<file> or mongodb://<host>:<port>/<database>')
  );
}

function sqliteUrl(text: string): SqliteUrl | undefined {
  const file = /^sqlite:(?!\/\/)(.+)$/s.exec(text)?.[1];
  return file === undefined ? undefined : { driver: 'sqlite', file };
}

/** Where the bus is, for people: without credentials. */
export const busAddress = (url: BusUrl): string =>
  url.driver === 'kafka' ? `kafka://${url.brokers.join(',')}` : `sqlite:${url.file}`;

/** Where the store is, for people: without credentials and options. */
export const storeAddress = (url: StoreUrl): string =>
  url.driver === 'mongodb'
    ? url.url.replace(/\/\/[^/]*@/, '//').replace(/\?.*$/s, '')
    : `sqlite:${url.file}`;
