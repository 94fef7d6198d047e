import { reject, type Rejection } from '@tidegate/kernel';

/** Where bus or store live. Paths are relative to the working folder. */
export interface DriverUrl {
  readonly driver: 'sqlite';
  readonly file: string;
}

const LATER = new Set(['kafka', 'mongodb', 'mongodb+srv']);

/** Reads `sqlite:<file>`. Refused with DRIVER_URL_MALFORMED, or DRIVER_NOT_YET for drivers of a later release. */
export function readDriverUrl(text: string): DriverUrl | Rejection {
  const [, scheme, rest] = /^([a-z][a-z+]*):(.*)$/s.exec(text) ?? [];
  if (scheme === 'sqlite' && rest !== undefined && rest !== '' && !rest.startsWith('//'))
    return { driver: 'sqlite', file: rest };
  if (scheme !== undefined && LATER.has(scheme))
    return reject('DRIVER_NOT_YET', `${scheme}:// is not in this release yet: use sqlite:<file>.`);
  return reject('DRIVER_URL_MALFORMED', 'must be sqlite:<file>, e.g. sqlite:.tidegate/bus.db');
}
