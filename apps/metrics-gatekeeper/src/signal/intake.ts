import { formatDuration } from '@tidegate/kernel';
import type { Collection } from '@tidegate/store';

/** Whether reported signals wait to be counted, as the replica that should count them has said last. */
export interface Intake {
  readonly behindUntil: number;
  readonly message: string;
}

export const INTAKE = 'intake';
export const intakeCollection: Collection<Intake> = {
  name: 'signal-intake',
  schemaVersion: 1,
  index: () => ({}),
  durable: false, // it is said again
};

/** A signal that is not counted after this is missing where rollouts are judged by signals. */
export const BEHIND_MS = 15_000;

/**
 * That signals wait for too long, in a sentence; undefined if they do not.
 * @param lag what is known of the group that counts them, by partition
 */
export function behind(
  lag: readonly { readonly records: number; readonly ageMs: number }[],
): string | undefined {
  const ageMs = Math.max(0, ...lag.map((each) => each.ageMs));
  if (ageMs <= BEHIND_MS) return undefined;
  const records = lag.reduce((sum, each) => sum + each.records, 0);
  return `${records} messages on the topic signals are not counted yet, the oldest for ${formatDuration(ageMs)}.`;
}
