import type { Lot } from './lot.kafka.ts';
import type { PartitionLoop } from './partition.loop.ts';
import type { RawLoop } from './raw.loop.ts';

export type Loop = PartitionLoop | RawLoop;

/** The lots of one loop. */
interface Unit {
  readonly lots: readonly Lot[];
  loop?: Loop;
  isEnded: boolean;
  /** Resolves when it has handled what it had in hand. */
  ended: Promise<void>;
}

export const keyOf = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${topic} ${partition}`;

/** The loops of a member, while its partitions come and go. */
export class Units {
  readonly #isOne: boolean;
  readonly #start: (lots: readonly Lot[]) => Loop;
  #units: readonly Unit[] = [];
  #ending: readonly Unit[] = [];
  #isStopped = false;

  /** @param isOne one loop for all lots; else one for each */
  constructor(isOne: boolean, start: (lots: readonly Lot[]) => Loop) {
    this.#isOne = isOne;
    this.#start = start;
  }

  loops(): readonly Loop[] {
    return this.#units.flatMap(({ loop }) => loop ?? []);
  }

  /** Loops whose lots are the same go on; others end, and whoever takes over waits for them. */
  regroup(lots: readonly Lot[]): void {
    const wanted = this.#isOne ? [lots] : lots.map((lot) => [lot]);
    const isWanted = ({ lots: own }: Unit) => wanted.some((other) => isSame(own, other));
    const kept = this.#units.filter(isWanted);
    const leaving = this.#units.filter((unit) => !isWanted(unit));
    for (const unit of leaving) void end(unit);
    this.#ending = [...this.#ending, ...leaving].filter(({ isEnded }) => !isEnded);
    const fresh = wanted
      .filter((own) => own.length > 0 && !kept.some((unit) => isSame(unit.lots, own)))
      .map((own): Unit => ({ lots: own, isEnded: false, ended: Promise.resolve() }));
    this.#units = [...kept, ...fresh];
    for (const unit of fresh) void this.#begin(unit);
  }

  /** Resolves when what is being handled is handled. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#units, ...this.#ending].map(end));
  }

  abandon(): void {
    this.#isStopped = true;
    for (const loop of this.loops()) loop.reader.stop();
  }

  async #begin(unit: Unit): Promise<void> {
    const keys = new Set(unit.lots.map(keyOf));
    const before = this.#ending.filter(({ lots }) => lots.some((lot) => keys.has(keyOf(lot))));
    if (before.length > 0) await Promise.all(before.map(({ ended }) => ended));
    if (!this.#isStopped && this.#units.includes(unit)) unit.loop = this.#start(unit.lots);
  }
}

const isSame = (one: readonly Lot[], other: readonly Lot[]): boolean =>
  one.length === other.length && one.every((lot) => other.includes(lot));

function end(unit: Unit): Promise<void> {
  unit.ended = Promise.resolve(unit.loop?.stop()).then(() => {
    unit.isEnded = true;
  });
  return unit.ended;
}
