import type { Work } from '../run/run.ts';
import type { KnownRun } from './standing.ts';

/**
 * Another run that has changed documents since this one last did, where one of the two undoes: the place in the journal
 * at which this one was left says nothing any more, and what it has counted is no longer so.
 */
export const overtakenBy = (work: Work, others: readonly KnownRun[]): KnownRun | undefined =>
  others.find(
    ({ run }) =>
      mayHaveChanged(run.work) && (undoes(work) || undoes(run.work)) && isLater(run.work, work),
  );

const undoes = ({ action, reverting }: Work): boolean =>
  action === 'revert' || reverting !== undefined;

/** What there is to do is counted before anything is written. */
const mayHaveChanged = (work: Work): boolean =>
  (undoes(work) || work.action === 'execute') && (work.expected !== undefined || work.batches > 0);

/** Leases are numbered as they are given; a run that has recorded no batch has none. */
const isLater = (other: Work, work: Work): boolean =>
  other.fence > 0 && work.fence > 0 ? other.fence > work.fence : other.startedAt > work.startedAt;
