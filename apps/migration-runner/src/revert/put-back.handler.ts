import type { FailedDocument, MigrationCounts } from '@tidegate/contracts';
import { shortened } from '@tidegate/kernel';
import type { Edit, Row } from '@tidegate/migration';
import type { Kept, KeptEdit } from '../journal/kept.ts';
import { byKey, everything } from '../run/batch.ts';
import { keyText } from '../run/failures.ts';
import type { Job } from '../run/job.ts';
import { fateOf } from './fate.ts';

const CONFLICT_RETRIES = 5;

/** What became of the documents of one batch. `mismatched`: they are gone. */
export interface PutBack {
  readonly counts: MigrationCounts;
  readonly failures: readonly FailedDocument[];
}

/** A document that is not dealt with yet. */
interface Open {
  readonly edit: KeptEdit;
  readonly image: Row | undefined;
}
interface Wanted extends Open {
  readonly back: Edit;
}
interface Tally {
  changed: number;
  skipped: number;
  readonly failures: FailedDocument[];
}

/**
 * Puts the documents of a batch back; safe to repeat. Undefined when the shift ended in it.
 * @param listed documents that this revert has listed already, from a newer batch
 */
export async function putBack(
  job: Job,
  kept: Kept,
  listed: ReadonlySet<string>,
): Promise<PutBack | undefined> {
  const tally: Tally = { changed: 0, skipped: 0, failures: [] };
  let open: readonly Open[] = kept.edits.map((edit, at) => ({ edit, image: kept.images?.[at] }));
  for (let attempt = 0; open.length > 0; attempt += 1) {
    const wanted = await decided(job, kept, open, tally);
    if (!wanted || !(await job.shift.mayWrite())) return undefined;
    const lost = wanted.length === 0 ? [] : await written(job, wanted, tally);
    const isLast = attempt === CONFLICT_RETRIES - 1;
    if (isLast) for (const { edit } of lost) tally.failures.push(busy(edit));
    open = isLast ? [] : lost;
  }
  return summed(tally, listed);
}

/** What is to be written; the rest is tallied. Undefined when the shift ended. */
async function decided(
  { migration, target, shift }: Job,
  { hasBackupBelow }: Kept,
  open: readonly Open[],
  tally: Tally,
): Promise<readonly Wanted[] | undefined> {
  const all = everything(migration);
  const rows = await target.find(
    all,
    open.map(({ edit }) => edit.key),
  );
  const now = byKey(target, all, rows);
  const wanted: Wanted[] = [];
  for (const each of open) {
    if (!(await shift.goOn())) return undefined;
    const { edit, image } = each;
    const found = now.get(keyText(edit));
    const fate = fateOf(migration, { edit, image, hasBackupBelow, now: found });
    if (fate.kind === 'put-back') wanted.push({ ...each, back: fate.edit });
    else if (fate.kind === 'listed')
      tally.failures.push({ key: edit.key, code: fate.code, message: shortened(fate.message) });
    else if (fate.kind === 'unchanged') tally.skipped += 1;
  }
  return wanted;
}

/** Those that somebody edited meanwhile. */
async function written(
  { migration, target }: Job,
  wanted: readonly Wanted[],
  tally: Tally,
): Promise<readonly Wanted[]> {
  const results = await target.write(
    everything(migration),
    wanted.map(({ back }) => back),
  );
  return wanted.filter(({ edit }, at) => {
    const result = results[at];
    if (result === 'written') tally.changed += 1;
    else if (typeof result === 'object')
      tally.failures.push({
        key: edit.key,
        code: 'MIGRATION_DOCUMENT_REFUSED',
        message: shortened(`The database refuses what it was: ${result.refused}`),
      });
    return result === 'conflict';
  });
}

const busy = ({ key }: KeptEdit): FailedDocument => ({
  key,
  code: 'MIGRATION_DOCUMENT_BUSY',
  message: `It was edited each of ${CONFLICT_RETRIES} times before it could be put back.`,
});

/** What may be put back further down is counted there. */
function summed(tally: Tally, listed: ReadonlySet<string>): PutBack {
  const failures = tally.failures.filter((failure) => !listed.has(keyText(failure)));
  const gone = failures.filter(({ code }) => code === 'MIGRATION_DOCUMENT_GONE').length;
  const again = tally.failures.length - failures.length;
  const counts = {
    matched: tally.changed + tally.skipped + tally.failures.length,
    changed: tally.changed,
    skipped: tally.skipped + again,
    mismatched: gone,
    failed: failures.length - gone,
  };
  return { counts, failures };
}
