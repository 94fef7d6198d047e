import type { OutgoingMessage } from '@tidegate/contracts';

/** One (topic, key): its messages go out one after another, in this order. */
export interface Lane<T> {
  readonly name: string;
  readonly entries: readonly T[];
}

/** By (topic, key), order kept inside; those of kills first, then in order of their first entry. */
export function lanesOf<T extends { readonly message: OutgoingMessage }>(
  entries: readonly T[],
): readonly Lane<T>[] {
  const lanes = Map.groupBy(entries, ({ message }) => laneOf(message));
  return [...lanes]
    .map(([name, entries]) => ({ name, entries }))
    .sort((a, b) => Number(isKill(b)) - Number(isKill(a)));
}

/** The name of a message's lane. */
export const laneOf = ({ topic, key }: OutgoingMessage): string => JSON.stringify([topic, key]);

const isKill = ({ entries }: Lane<{ readonly message: OutgoingMessage }>): boolean =>
  entries[0]?.message.topic === 'kills';
