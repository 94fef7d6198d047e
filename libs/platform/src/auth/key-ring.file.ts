import { hash, timingSafeEqual } from 'node:crypto';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import {
  ADMIN_KEY_NAME,
  type ApiKeyEntry,
  EVERY_ENVIRONMENT,
  readApiKeys,
} from '@tidegate/contracts';
import { AppError, isRejection, messageOf, reject, type Rejection } from '@tidegate/kernel';
import type { Logger } from 'pino';
import type { Caller } from './access.ts';

interface Entry {
  readonly digest: Buffer;
  readonly caller: Caller;
}

/** The keys that may come in. Only digests are kept. */
export interface KeyRing {
  find(key: string): Caller | undefined;
  /** Why the file's last version was not taken, if so: the keys before it are still in use. */
  problem(): string | undefined;
  close(): void;
}

export interface KeyRingOptions {
  readonly adminKey?: string | undefined;
  readonly file?: string | undefined;
  readonly checkMs: number;
  readonly log: Logger;
}

const digestOf = (key: string): Buffer => hash('sha256', key, 'buffer');

/** Reads the keys and reads the file again when it changes. Thrown CONFIG_INVALID when it is malformed now. */
export function openKeyRing({ adminKey, file, checkMs, log }: KeyRingOptions): KeyRing {
  const admin = adminKey === undefined ? [] : [adminEntry(adminKey)];
  const first = file === undefined ? [] : readKeysFile(file);
  if (isRejection(first)) throw new AppError('CONFIG_INVALID', `API_KEYS_FILE: ${first.message}`);
  let entries = index([...admin, ...first]);
  let problem: string | undefined;
  /** Keys that were found: only true ones, so it cannot grow, and it spares the digest on each request. */
  const found = new Map<string, Caller>();

  const look = (): void => {
    const next = readKeysFile(file ?? '');
    problem = isRejection(next) ? next.message : undefined;
    found.clear();
    if (isRejection(next)) log.error({ file, problem }, 'API keys were not read again');
    else {
      entries = index([...admin, ...next]);
      log.info({ file, keys: next.length }, 'API keys were read again');
    }
  };
  if (file !== undefined) watchFile(file, { interval: checkMs, persistent: false }, look);

  return {
    find(key) {
      const known = found.get(key);
      if (known) return known;
      const digest = digestOf(key);
      // The digest of a guess says nothing about its neighbours, so looking it up leaks nothing either.
      const entry = entries.get(digest.toString('latin1'));
      if (!entry || !timingSafeEqual(entry.digest, digest)) return undefined;
      found.set(key, entry.caller);
      return entry.caller;
    },
    problem: () => problem,
    close() {
      if (file !== undefined) unwatchFile(file, look);
    },
  };
}

const adminEntry = (key: string): Entry => ({
  digest: digestOf(key),
  caller: { name: ADMIN_KEY_NAME, role: 'admin', environments: [EVERY_ENVIRONMENT] },
});

const entryOf = ({ sha256, ...caller }: ApiKeyEntry): Entry => ({
  digest: Buffer.from(sha256, 'hex'),
  caller,
});

function readKeysFile(file: string): Entry[] | Rejection {
  try {
    const text = readFileSync(file, 'utf8');
    // A writer that truncates first must not lock everybody out for a moment.
    if (text.trim() === '') return reject('API_KEYS_MALFORMED', `${file}: is empty`);
    const keys = readApiKeys(text);
    return isRejection(keys) ? reject(keys.code, `${file}: ${keys.message}`) : keys.map(entryOf);
  } catch (error) {
    return reject('API_KEYS_UNREADABLE', `${file}: ${messageOf(error)}`);
  }
}

const index = (entries: readonly Entry[]): ReadonlyMap<string, Entry> =>
  new Map(entries.map((entry) => [entry.digest.toString('latin1'), entry]));
