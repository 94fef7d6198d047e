import type { Sent } from '@tidegate/platform';
import type { Alert } from '../alert/alert.ts';

/** One attempt to bring one notification to one address. */
export interface Parcel {
  /** The same at every attempt: the receiver can tell repeats by it. */
  readonly id: string;
  readonly alert: Alert;
  /** When it was first told, ms. */
  readonly createdAt: number;
  readonly attempt: number;
}

export interface Channel {
  /** Never rejects: what went wrong is the answer. Undefined: cut off by `signal`, nobody knows. */
  send(parcel: Parcel, signal: AbortSignal): Promise<Sent | undefined>;
}

export type Channels = ReadonlyMap<string, Channel>;
