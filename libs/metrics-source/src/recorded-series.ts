/** A value at an instant, ms since 1970; `stale` where the series ended, as Prometheus marks it. */
export type RecordedPoint = readonly [at: number, value: number | 'stale'];

/** The same, by column: a recorded day has millions of points. */
export interface PointColumns {
  readonly times: Float64Array;
  /** Without meaning where it is stale. */
  readonly values: Float64Array;
  /** 1 where the series ended, otherwise 0. */
  readonly stale: Uint8Array;
}

/** One series as it was recorded. */
export interface RecordedSeries {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Oldest first, no instant twice. */
  readonly points: readonly RecordedPoint[] | PointColumns;
}

export function columnsOf({ points }: Pick<RecordedSeries, 'points'>): PointColumns {
  if ('times' in points) return points;
  const columns = newColumns(points.length);
  for (const [index, [at, value]] of points.entries()) setPoint(columns, index, at, value);
  return columns;
}

export const newColumns = (length: number): PointColumns => ({
  times: new Float64Array(length),
  values: new Float64Array(length),
  stale: new Uint8Array(length),
});

export function setPoint(
  { times, values, stale }: PointColumns,
  index: number,
  at: number,
  value: number | 'stale',
): void {
  times[index] = at;
  if (value === 'stale') stale[index] = 1;
  else values[index] = value;
}

/** Columns that grow. */
export class PointsBuilder {
  #columns = newColumns(16);
  #length = 0;

  /** Of the newest point; undefined without one. */
  get lastAt(): number | undefined {
    return this.#length === 0 ? undefined : this.#columns.times[this.#length - 1];
  }

  get lastValue(): number | undefined {
    return this.#columns.values[this.#length - 1];
  }

  push(at: number, value: number | 'stale'): void {
    if (this.#length === this.#columns.times.length) this.#grow();
    setPoint(this.#columns, this.#length, at, value);
    this.#length += 1;
  }

  columns(): PointColumns {
    const { times, values, stale } = this.#columns;
    return {
      times: times.slice(0, this.#length),
      values: values.slice(0, this.#length),
      stale: stale.slice(0, this.#length),
    };
  }

  #grow(): void {
    const { times, values, stale } = this.#columns;
    this.#columns = newColumns(times.length * 2);
    this.#columns.times.set(times);
    this.#columns.values.set(values);
    this.#columns.stale.set(stale);
  }
}

/** First and last instant that anything is known of; undefined without a point. */
export function spanOf(
  series: readonly RecordedSeries[],
): { readonly from: number; readonly to: number } | undefined {
  let from = Infinity;
  let to = -Infinity;
  for (const each of series) {
    const { times } = columnsOf(each);
    from = Math.min(from, times[0] ?? Infinity);
    to = Math.max(to, times.at(-1) ?? -Infinity);
  }
  return from <= to ? { from, to } : undefined;
}
