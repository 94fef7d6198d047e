import type { AppError } from '@tidegate/kernel';
import type { ViewRecord } from '@tidegate/contracts';
import type { SdkErrorCode } from './errors.ts';
import type { Applied, FlagChange } from './local-flags.ts';
import type { Use } from './use-counts.ts';

/** Where a source puts what it learns. No method throws. */
export interface FlagSink {
  /** Of what is held, undefined before anything is; a source may tell its server, to be spared what is known. */
  readonly digest: string | undefined;
  /** Revisions of flags that rollouts hold or that changed last, for whoever asks what this instance has applied. */
  applied(): Applied;
  /** What was evaluated since the last call, to be told; what certainly could not be told is given back. */
  takeUse(): Use;
  giveBackUse(use: Use): void;
  /** All there is, or nothing if what is held is all: from now on the flags are current. */
  sync(states: readonly ViewRecord[]): readonly FlagChange[];
  /** What changed since, in any order and any number of times: older states change nothing. Says nothing of all others. */
  apply(states: readonly ViewRecord[]): readonly FlagChange[];
  /** Like `sync`, but whatever is held: revisions do not count, and what is not among the states is gone. */
  replace(states: readonly ViewRecord[]): readonly FlagChange[];
  /** The source is there, so what is held is current: only after `sync` on the same connection. */
  heard(): void;
  failed(error: AppError<SdkErrorCode>): void;
}

/** Where flags come from. It goes on for ever, through every failure, until it is closed. */
export interface FlagSource {
  /** Safe to repeat. */
  close(): Promise<void>;
}

export type OpenSource = (sink: FlagSink) => FlagSource;
