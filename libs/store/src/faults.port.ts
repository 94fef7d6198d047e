/** Where a fault test may stop the process. In production nothing happens there. */
export const faultPoints = [
  'execute.loaded', // before any effect
  'execute.saved', // after save, before publish
  'outbox.published', // after publish, before clear
  'outbox.cleared', // after the effect, before the offset is committed
] as const;
export type FaultPoint = (typeof faultPoints)[number];

export interface Faults {
  at(point: FaultPoint, id: string): void | Promise<void>;
}

/** Production's: nothing ever happens. */
export const noFaults: Faults = { at: () => undefined };
