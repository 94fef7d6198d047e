import { AppError } from '@tidegate/kernel';
import type { Mark } from './documents.port.ts';
import type { StoreErrorCode } from './errors.ts';
import type { Entry } from './projection.port.ts';

/** A document at rest: JSON, as on a disk, so that nobody can change it but by saving. */
export interface StoredDocument {
  version: number;
  token: number;
  schemaVersion: number;
  state: string;
  fields: Readonly<Record<string, string | number | boolean>>;
  fieldsVersion: number;
  dueAt: number | undefined;
  claimedUntil: number;
  handled: readonly Mark[];
  lastSeq: number;
  outbox: { seq: number; position: number; isKill: boolean; message: string }[];
}

/** What stays when the process that used it is gone: hand it to the next `memoryStore`, or to two at once. */
export class MemoryDisk {
  epoch = 1;
  /** While true, everything rejects with STORE_UNREACHABLE. */
  away = false;
  readonly documents = new Map<string, Map<string, StoredDocument>>();
  readonly entries = new Map<string, Entry<string>[]>();
  readonly leases = new Map<string, { holder: string; until: number; count: number }>();
  #position = 0;

  nextPosition(): number {
    this.#position += 1;
    return this.#position;
  }

  /** Thrown STORE_UNREACHABLE while it is away. */
  reach(): void {
    if (this.away)
      throw new AppError<StoreErrorCode>('STORE_UNREACHABLE', 'The store cannot be used now.', {
        retryable: true,
      });
  }
}

/** What is kept under a name, made when first asked for. */
export function under<T>(map: Map<string, T>, name: string, make: () => T): T {
  const found = map.get(name) ?? make();
  map.set(name, found);
  return found;
}
