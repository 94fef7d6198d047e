import type { MigrationCounts } from '@tidegate/contracts';
import { matches, type Migration, type Row } from '@tidegate/migration';
import { checksum } from '../journal/checksum.ts';
import type { KeptEdit } from '../journal/kept.ts';

/** Of one document: what was kept before each attempt to write it, and how it is now. */
export interface Attempted {
  readonly attempts: readonly KeptEdit[];
  /** Undefined: it is gone. */
  readonly now: Row | undefined;
}

/** `open`: still to be done. `other`: somebody edited, completed or deleted it; whether we wrote it before is not known. */
export type Found = 'written' | 'open' | 'other';

export function foundOf(migration: Migration, { attempts, now }: Attempted): Found {
  if (!now) return 'other';
  // Asked first: where only a type was converted, the checksum is the same before and after.
  if (matches(migration.pending, now)) return 'open';
  const isOurs = attempts.some(({ shape, after }) => checksum(now, shape.compare) === after);
  return isOurs ? 'written' : 'other';
}

/** Of a batch that was never recorded; what is open is counted when it is done. */
export function countsOf(found: readonly Found[]): MigrationCounts {
  const count = (wanted: Found) => found.filter((each) => each === wanted).length;
  const [changed, mismatched] = [count('written'), count('other')];
  return { matched: changed + mismatched, changed, skipped: 0, mismatched };
}
