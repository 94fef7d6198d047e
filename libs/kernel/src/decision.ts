/** "No" as a value: `code` is NOUN_WHAT, `message` a sentence for the person who asked. */
export interface Rejection {
  readonly rejected: true;
  readonly code: string;
  readonly message: string;
}

export const reject = (code: string, message: string): Rejection => ({
  rejected: true,
  code,
  message,
});

export const isRejection = (value: unknown): value is Rejection =>
  typeof value === 'object' && value !== null && 'rejected' in value && value.rejected === true;

/** What a command carries besides its data. `at` is in ms since 1970, `id` unique with `source`. */
export interface Command {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: {
    readonly id: string;
    readonly source: string;
    readonly at: number;
    readonly actor: string;
    readonly correlationId: string;
  };
}

/** A message as a rule makes it: the edge adds id, time and where it came from. */
export interface Draft<T extends string = string, D = unknown> {
  readonly type: T;
  readonly data: D;
}

/** A draft that happened: with its id and time. `evolve` sees facts. */
export type Fact<M extends Draft = Draft> = M & {
  readonly metadata: { readonly id: string; readonly at: number };
};

/** The messages (own events first, commands to others too) that follow, none if nothing changes, or why not. */
export type Decision<M extends Draft> = readonly M[] | Rejection;

/** Rules of one kind of document. Pure: the same arguments give the same answer next year. */
export interface Decider<S, C extends Command, M extends Draft> {
  readonly initial: S;
  decide(command: C, state: S): Decision<M>;
  /** Copies facts into the state and never refuses; messages to others leave it as it is. */
  evolve(state: S, fact: Fact<M>): S;
}

/** What whoever asked is told. `version` is the document's after the command. */
export type Answer =
  | { readonly outcome: 'changed' | 'unchanged'; readonly version: number }
  | {
      readonly outcome: 'refused';
      readonly version: number;
      readonly code: string;
      readonly message: string;
    };
