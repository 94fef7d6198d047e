/** At least so many items of a list of unknown length, every so many-th of it, and at most twice as many. */
export interface Evenly<T> {
  add(item: T): void;
  readonly items: () => readonly T[];
}

export function evenlyOf<T>(wanted: number): Evenly<T> {
  let kept: T[] = [];
  let step = 1;
  let met = 0;
  return {
    add(item) {
      if (met % step === 0) kept.push(item);
      met += 1;
      if (kept.length < 2 * wanted) return;
      kept = kept.filter((_item, index) => index % 2 === 0);
      step *= 2;
    },
    items: () => kept,
  };
}
