import { cleanupReport } from '../report/ended.ts';
import type { Job } from '../run/job.ts';

/** Gives up the way back: what the journal kept is taken away, and it says so from then on. */
export async function cleanUp({ run, journal, shift, record }: Job): Promise<void> {
  if (!(await shift.goOnToBatch())) return;
  const bytes = await journal.bytes();
  // First said, then done: half a way back is none.
  await journal.mark({ kind: 'forgotten', run, place: await journal.top() });
  const mark = (await journal.marks()).find(
    (each) => each.kind === 'forgotten' && each.run === run,
  );
  if (mark) await shift.during(journal.forget(mark.place));
  await record('FinishRun', { report: cleanupReport({ bytes }) });
}
