import type { Kill } from './words.ts';
import type { Reach } from './reach.ts';

/** What a service may be cut off from. */
export type Missing = 'bus' | 'store';

/** A kill that a document owes and the bus has not taken. */
export interface OwedKill extends Kill {
  /** When it was decided. */
  readonly at: number;
}

/** What the bus reported of a consumer group, and what has not been better since. */
export interface Lag {
  readonly group: string;
  readonly topic: string;
  readonly at: number;
  readonly message: string;
}

/** A message that a consumer group has given up. */
export interface GivenUp extends Kill {
  readonly id: string;
  readonly at: number;
  readonly group: string;
  /** `CODE: message`. */
  readonly why: string;
  readonly isKill: boolean;
}

/** What a service knows of itself. */
export interface Known {
  readonly service: string;
  /** Without credentials. */
  readonly busAddress: string;
  readonly storeAddress: string;
  /** How long bus or store may be away. */
  readonly afterMs: number;
  readonly bus: Reach;
  readonly store: Reach;
  readonly kills: readonly OwedKill[];
  /** Why the bus took something not, the last time. */
  readonly refusal?: string | undefined;
  /** Documents that owe messages, and since when there is always one. */
  readonly owing?: { readonly documents: number; readonly since: number } | undefined;
  readonly lags: readonly Lag[];
  readonly givenUp: readonly GivenUp[];
  /** Sentences of the service itself, for when this is away. */
  readonly details: Readonly<Record<Missing, readonly string[]>>;
}
