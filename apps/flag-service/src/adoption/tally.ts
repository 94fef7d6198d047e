import { type Counted, type Missed, OTHERS, type Served } from './counted.ts';

/** Applications, and unknown keys, that are told apart within one batch. */
const MOST_APPLICATIONS = 200;
const MOST_KEYS = 1_000;

type Counts = Map<string, number>;

/** What one process counts between two batches. It stands in the way of every evaluation, so it only looks up and adds. */
export class Tally {
  /** By application, flag, variant. */
  #served = new Map<string, Map<string, Counts>>();
  /** By key, application. */
  #unknown = new Map<string, Counts>();
  #fetched = false;

  /** The flag and the variant exist: their number is bounded. */
  served(application: string, flag: string, variant: string, count = 1): void {
    const flags = roomIn(this.#served, application, MOST_APPLICATIONS, newMap<Counts>);
    let variants = flags.get(flag);
    if (!variants) flags.set(flag, (variants = new Map()));
    variants.set(variant, (variants.get(variant) ?? 0) + count);
  }

  unknown(application: string, key: string, count = 1): void {
    if (this.#unknown.size >= MOST_KEYS && !this.#unknown.has(key)) return;
    const counts = roomIn(this.#unknown, key, MOST_KEYS, newMap<number>);
    const name = counts.has(application) || counts.size < MOST_APPLICATIONS ? application : OTHERS;
    counts.set(name, (counts.get(name) ?? 0) + count);
  }

  fetched(): void {
    this.#fetched = true;
  }

  /** What was counted since the last time; undefined if nothing was. */
  take(at: number): Counted | undefined {
    const counted = { at, served: this.#allServed(), unknown: this.#allUnknown() };
    const fetched = this.#fetched;
    if (!fetched && counted.served.length + counted.unknown.length === 0) return undefined;
    this.#served = new Map();
    this.#unknown = new Map();
    this.#fetched = false;
    return { ...counted, fetched };
  }

  #allServed(): Served[] {
    return [...this.#served].flatMap(([application, flags]) =>
      [...flags].flatMap(([flag, variants]) =>
        [...variants].map(([variant, count]) => ({ application, flag, variant, count })),
      ),
    );
  }

  #allUnknown(): Missed[] {
    return [...this.#unknown].flatMap(([key, counts]) =>
      [...counts].map(([application, count]) => ({ application, key, count })),
    );
  }
}

const newMap = <V>(): Map<string, V> => new Map<string, V>();

function roomIn<V>(map: Map<string, V>, key: string, most: number, make: () => V): V {
  const known = map.get(key);
  if (known) return known;
  const name = map.size < most ? key : OTHERS;
  const found = map.get(name) ?? make();
  map.set(name, found);
  return found;
}
