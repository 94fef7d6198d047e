import type { Kept, KeptEdit } from '../journal/kept.ts';
import { byKey, everything } from './batch.ts';
import { keyText } from './failures.ts';
import type { Job } from './job.ts';
import type { Run, Work } from './run.ts';
import { countsOf, type Found, foundOf } from './written.ts';

const FOUND_AT_ONCE = 1_000;

/**
 * Counts what was written by batches that were never recorded, because the runner was killed in them or lost the database:
 * their way back is in the journal, and documents are as `up` makes them. They are recorded as one, with the place up to which
 * that was done, as their numbers are given again. Resolves with the run as it is then.
 */
export async function reconcile(job: Job, work: Work): Promise<Run> {
  const { migration, target, journal } = job;
  const journalAt = await journal.top();
  const attempts = await withoutOthers(job, byDocument(await unrecorded(job, work)));
  const found: Found[] = [];
  for (let from = 0; from < attempts.length; from += FOUND_AT_ONCE) {
    const some = attempts.slice(from, from + FOUND_AT_ONCE);
    const keys = some.map(([edit]) => edit.key);
    const rows = await target.find(everything(migration), keys);
    const now = byKey(target, everything(migration), rows);
    for (const each of some)
      found.push(foundOf(migration, { attempts: each, now: now.get(keyText(each[0])) }));
  }
  const counts = countsOf(found);
  const keys = attempts.filter((_, at) => found[at] === 'written').map(([edit]) => edit.key);
  const [first, last] = [keys[0], keys.at(-1)];
  if (first === undefined || last === undefined) return { status: 'running', work };
  return job.record('RecordBatch', { first, last, counts, tookMs: 0, journalAt });
}

/**
 * Oldest first. What the last recorded batch kept again, where it met edits, may lie between: the batch after it was
 * prepared, and kept, before that. So may what others kept while the run was paused, such as a backup.
 */
async function unrecorded({ journal, run }: Job, work: Work): Promise<readonly Kept[]> {
  const batchesFound: Kept[] = [];
  const floor = Math.max(work.journalFrom ?? 0, work.journalAt ?? 0);
  for (let place = Infinity; ;) {
    const kept = await journal.below(place, 'edits');
    const [newest] = kept;
    if (!newest || newest.place <= floor) return batchesFound.reverse();
    const own = kept.filter((each) => each.run === run);
    batchesFound.push(...own.filter((each) => each.batch > work.batches));
    if (own.some((each) => each.batch < work.batches)) return batchesFound.reverse();
    place = newest.place;
  }
}

type Attempts = readonly [KeptEdit, ...KeptEdit[]];
/** Of one document, and the place of the newest. */
interface Own {
  readonly edits: Attempts;
  readonly place: number;
}

/** @param batches oldest first */
function byDocument(batches: readonly Kept[]): Map<string, Own> {
  const all = new Map<string, Own>();
  for (const { place, edits } of batches)
    for (const edit of edits) {
      const known = all.get(keyText(edit))?.edits;
      all.set(keyText(edit), { edits: known ? [...known, edit] : [edit], place });
    }
  return all;
}

/** What another run kept later was still pending then: whoever has written it since, it was not this run's batch. */
async function withoutOthers(
  { journal, run }: Job,
  attempts: Map<string, Own>,
): Promise<readonly Attempts[]> {
  const oldest = [...attempts.values()].reduce(
    (least, { place }) => Math.min(least, place),
    Infinity,
  );
  for (let place = Infinity; attempts.size > 0;) {
    const kept = await journal.below(place, 'edits');
    const [newest] = kept;
    if (!newest || newest.place <= oldest) break;
    const others = kept.filter((each) => each.run !== run && each.kind === 'execute');
    for (const edit of others.flatMap(({ edits }) => edits)) {
      const own = attempts.get(keyText(edit));
      if (own && own.place < newest.place) attempts.delete(keyText(edit));
    }
    place = newest.place;
  }
  return [...attempts.values()].map(({ edits }) => edits);
}
