import type { Collection, Documents } from './documents.port.ts';
import type { Leases } from './leases.port.ts';
import type { Projection } from './projection.port.ts';

export interface Store {
  /** Raised by an operator after an older backup was restored. */
  readonly epoch: number;
  documents<S>(collection: Collection<S>): Documents<S>;
  projection<R>(name: string): Projection<R>;
  readonly leases: Leases;
  /** Resolves if a read and a write would work now. Thrown STORE_UNREACHABLE. */
  check(): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}
