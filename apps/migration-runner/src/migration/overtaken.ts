import { isBegun, type Work } from '../run/run.ts';
import type { KnownRun } from './standing.ts';

/**
 * Another run that has changed documents since this one last did, where one of the two undoes or may have to: the place in
 * the journal at which this one was left says nothing any more, what it has counted is no longer so, and what it would have
 * to undo by itself is not its own alone.
 */
export const overtakenBy = (work: Work, others: readonly KnownRun[]): KnownRun | undefined =>
  others.find(
    ({ run }) =>
      mayHaveChanged(run.work) && (mayUndo(work) || undoes(run.work)) && isLater(run.work, work),
  );

const undoes = ({ action, reverting }: Work): boolean =>
  action === 'revert' || reverting !== undefined;

const mayUndo = (work: Work): boolean =>
  undoes(work) || (work.action === 'execute' && work.onFailure === 'revert');

const mayHaveChanged = (work: Work): boolean =>
  (undoes(work) || work.action === 'execute') && isBegun(work);

/** Leases are numbered as they are given; a run that has counted nothing has none. */
const isLater = (other: Work, work: Work): boolean =>
  other.fence > 0 && work.fence > 0 ? other.fence > work.fence : other.startedAt > work.startedAt;
