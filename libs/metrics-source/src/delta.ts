/** Counters of one target at one scrape, by series key. Plain JSON. */
export interface Snapshot {
  readonly at: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface Increase {
  /**
   * `first`: nothing to compare with; `repeated`: the same scrape again; `earlier`: older than what is known.
   * Only `counted` may have an increase, and only `first` and `counted` bring a new snapshot.
   */
  readonly kind: 'first' | 'counted' | 'repeated' | 'earlier';
  /** Sum over the series, ≥ 0. */
  readonly increase: number;
  /** Series that began again from zero. */
  readonly resets: number;
  /** What to compare the next scrape with: the newest value of every series seen so far. */
  readonly snapshot: Snapshot;
}

/**
 * How much the counters of one target grew between two successful scrapes.
 * - A value below the former one is a restart: all of it is new.
 * - A series that the former scrape did not have is counted from zero: whatever it holds happened since. Without a
 *   former scrape nothing is counted, as nobody knows when it happened.
 * - A series that has vanished keeps its last value, so that it is not counted again when it comes back.
 */
export function increase(previous: Snapshot | undefined, current: Snapshot): Increase {
  const nothing = { increase: 0, resets: 0 };
  if (previous === undefined) return { kind: 'first', ...nothing, snapshot: current };
  if (current.at === previous.at) return { kind: 'repeated', ...nothing, snapshot: previous };
  if (current.at < previous.at) return { kind: 'earlier', ...nothing, snapshot: previous };
  let sum = 0;
  let resets = 0;
  for (const [series, value] of Object.entries(current.values)) {
    const before = previous.values[series] ?? 0;
    if (value < before) resets += 1;
    sum += value < before ? value : value - before;
  }
  const values = { ...previous.values, ...current.values };
  return { kind: 'counted', increase: sum, resets, snapshot: { at: current.at, values } };
}
