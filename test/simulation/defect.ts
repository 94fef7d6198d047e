import type { FlagRecord, Publish } from '@tidegate/contracts';
import type { Clock } from '@tidegate/kernel';
import type { Documents, Execute } from '@tidegate/store';
import type { Life } from './sim.ts';

/** Holds flags as an application does. */
export interface FlagHolder {
  apply(record: FlagRecord): boolean;
  get(key: string): FlagRecord | undefined;
}

/** How a program may be wrong: each is planted to see that the simulation finds it. */
export interface Defect {
  documents?<S>(documents: Documents<S>, life: Life, publish: Publish): Documents<S>;
  execute?(execute: Execute, clock: Clock): Execute;
  publish?(publish: Publish): Publish;
  /** The position is committed before the record is handled. */
  readonly commitsFirst?: boolean;
  readonly neverRelays?: boolean;
  /** Nobody closes what is silent. */
  readonly neverCloses?: boolean;
  /** Signs of life are not heard. */
  readonly isDeaf?: boolean;
  holder?(): FlagHolder;
}
