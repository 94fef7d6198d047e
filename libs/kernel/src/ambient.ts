/** Milliseconds since 1970-01-01 UTC. Asked at the edge; rules see times as plain values. */
export interface Clock {
  now(): number;
}

/** Random, globally unique ids. */
export interface Ids {
  next(): string;
}

/** Uniform in [0, 1). */
export interface Random {
  next(): number;
}
