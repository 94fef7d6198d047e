import { type KafkaAddress, kafkaUrl } from '@tidegate/bus';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import { type SqliteUrl, sqliteUrl } from '@tidegate/store';

/** Where the bus lives. */
export type BusUrl = SqliteUrl | ({ readonly driver: 'kafka' } & KafkaAddress);

/** Reads `sqlite:<file>` or what `kafkaUrl` reads. Refused with DRIVER_URL_MALFORMED, in words without a password. */
export function readBusUrl(text: string): BusUrl | Rejection {
  if (text.startsWith('kafka:')) {
    const address = kafkaUrl(text);
    return isRejection(address) ? address : { driver: 'kafka', ...address };
  }
  return (
    sqliteUrl(text) ??
    reject(
      'DRIVER_URL_MALFORMED',
      'must be sqlite:<file> or kafka://<host>:<port>[,<host>:<port> …][?…]',
    )
  );
}

/** Where the bus is, for people: without credentials. */
export const busAddress = (url: BusUrl): string =>
  url.driver === 'kafka' ? `kafka://${url.brokers.join(',')}` : `sqlite:${url.file}`;
