import type { Answer, Command, Decider, Draft, Revision } from '@tidegate/kernel';
import type { Documents } from './documents.port.ts';

/** A kind of document with its rules: what `execute` needs to know of it. */
export interface Aggregate<S, C extends Command, M extends Draft> {
  readonly documents: Documents<S>;
  readonly decider: Decider<S, C, M>;
  /**
   * Types of commands that a loop makes anew each time and nobody delivers twice. They leave no mark, since they
   * would push out those of real messages, and one that changes nothing is not saved.
   */
  readonly ticks?: readonly C['type'][];
  /** The record that views read, published to its topic after each change of the version. */
  readonly stateRecord?: (
    id: string,
    state: S,
  ) => (Draft & { readonly topic?: string }) | undefined;
}

export interface Outcome<S> extends Revision {
  readonly answer: Answer;
  readonly state: S;
  /** True if the command had been handled before: nothing was done now. */
  readonly repeated: boolean;
  /** False while the bus has not taken what the document owes: the relay goes on trying. */
  readonly published: boolean;
}

/**
 * The only write path: load → handled? → decide → evolve → save → publish → clear. Commands for one document take
 * turns in this process; STORE_VERSION_CONFLICT from another one repeats the call, at most 20 times.
 */
export type Execute = <S, C extends Command, M extends Draft>(
  aggregate: Aggregate<S, C, M>,
  id: string,
  command: C,
) => Promise<Outcome<S>>;
