import { AppError } from '@tidegate/kernel';
import type { MigrationErrorCode } from '../errors.ts';
import { pending } from './batch.ts';
import { keyText, listedIn } from './failures.ts';
import type { Job } from './job.ts';
import type { Key, Work } from './run.ts';
import { type Standstill, standsStill, standstillAfter } from './standstill.ts';

/** Where programs insert more than these during each sweep, the run does not end anyway. */
const LOOKED_AT = 20;

/**
 * Told of each sweep that has changed something and left something. What it knows is lost with the shift: then so many
 * sweeps are counted anew. Thrown MIGRATION_TURNED_BACK when sweeps change the same documents again and again.
 */
export function standstills(job: Job): (work: Work, left: number) => Promise<void> {
  let known: Standstill | undefined;
  return async (work, left) => {
    const again = known ? await leftOf(job, known.keys) : [];
    const some = again.length > 0 ? [] : await someLeft(job, work);
    known = standstillAfter(known, { left, some, again });
    if (!standsStill(known)) return;
    const { collection } = job.migration;
    throw new AppError<MigrationErrorCode>(
      'MIGRATION_TURNED_BACK',
      `${left} documents are left after ${known.sweeps} sweeps that changed some, not fewer than before and the same ones, such as ${collection} ${known.keys[0]}: a trigger or a program turns them back to the old form.`,
    );
  };
}

async function leftOf({ target, migration }: Job, keys: readonly Key[]): Promise<readonly Key[]> {
  const selection = pending(migration);
  return (await target.find(selection, keys)).map((row) => target.keyOf(selection, row));
}

async function someLeft({ target, migration }: Job, work: Work): Promise<readonly Key[]> {
  const [selection, listed] = [pending(migration), listedIn(work)];
  const rows = await target.page(selection, undefined, listed.size + LOOKED_AT);
  return rows
    .map((row) => target.keyOf(selection, row))
    .filter((key) => !listed.has(keyText({ key })))
    .slice(0, LOOKED_AT);
}
