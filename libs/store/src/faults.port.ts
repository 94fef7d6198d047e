/** The moments of every write of a document. */
export const writePoints = [
  'execute.loaded', // before any effect
  'execute.saved', // after save, before publish
  'outbox.published', // after publish, before clear
  'outbox.cleared', // after the effect, before the offset is committed
] as const;

/** Where a fault test may stop the process, also around effects that no document holds. In production nothing happens there. */
export const faultPoints = [
  ...writePoints,
  'batch.read', // before a migration's batch is written, and before its way back is kept
  'batch.journaled', // after its way back is kept, before it is written
  'batch.written', // after it is written, before the run says so
  'batch.recorded', // after the run says so
  'revert.read', // before documents of a migration are put back
  'revert.written', // after it, before the run says so
  'revert.recorded', // after the run says so
  'send.due', // before a notification is sent
  'send.sent', // after it, before the attempt is recorded
  'append.received', // before records go into the audit log
  'append.stored', // after it, before the tree's nodes do
  'append.kept', // after both, before the offsets are committed
] as const;
export type FaultPoint = (typeof faultPoints)[number];

export interface Faults {
  /** @param document `collection/id` of what is being changed */
  at(point: FaultPoint, document: string): void | Promise<void>;
}

/** Production's: nothing ever happens. */
export const noFaults: Faults = { at: () => undefined };
