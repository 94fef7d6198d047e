import { matches, type Migration } from '@tidegate/migration';
import { checksum } from '../journal/checksum.ts';
import { floorOf, undoneRuns } from '../journal/journal.handler.ts';
import type { Journal } from '../journal/journal.port.ts';
import type { KeptEdit } from '../journal/kept.ts';
import type { Journalled } from './verify.handler.ts';

/** What was written down of each change, newest first, as far as it was not undone or forgotten. */
export async function* journalledIn(
  journal: Journal,
  migration: Pick<Migration, 'pending'>,
): AsyncGenerator<Journalled> {
  const marks = await journal.marks();
  const [floor, undone] = [floorOf(marks), undoneRuns(marks)];
  for (let place = Infinity; ;) {
    const batches = await journal.below(place, 'edits');
    const [newest] = batches;
    if (!newest || newest.place <= floor) return;
    for (const { kind, run, edits } of batches)
      if (kind === 'execute' && !undone.has(run))
        yield* edits.map((edit) => journalled(edit, migration));
    place = newest.place;
  }
}

const journalled = (
  { key, shape, before, after }: KeptEdit,
  { pending }: Pick<Migration, 'pending'>,
): Journalled => ({
  key,
  compare(now) {
    const sum = checksum(now, shape.compare);
    // A text that became the same number, say, has the same checksum.
    if (before === after && sum === after) return matches(pending, now) ? 'before' : 'written';
    if (sum === after) return 'written';
    return sum === before ? 'before' : 'edited';
  },
});
