import type { Sample } from './metrics-source.port.ts';
import { columnsOf, type PointColumns, type RecordedSeries } from './recorded-series.ts';
import { seriesKey } from './series.ts';

/** One recorded series, read at one instant after another: time that goes on costs nothing but the way. */
export class SeriesTrack {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly series: string;
  readonly #columns: PointColumns;
  /** Of the newest point that is not later than the instant asked for last; -1 before the first. */
  #cursor = -1;

  constructor(recorded: RecordedSeries) {
    this.name = recorded.name;
    this.labels = recorded.labels;
    this.series = seriesKey(recorded.name, recorded.labels);
    this.#columns = columnsOf(recorded);
  }

  /** As Prometheus answers an instant query: the newest value, unless it has ended or is older than the lookback. */
  sampleAt(at: number, lookbackMs: number): Sample | undefined {
    const index = this.#moveTo(at);
    const taken = this.#columns.times[index];
    if (taken === undefined || at - taken >= lookbackMs) return undefined;
    if (this.#columns.stale[index] === 1) return undefined;
    const value = this.#columns.values[index] ?? Number.NaN;
    return { name: this.name, labels: this.labels, series: this.series, value, at: taken };
  }

  /** Whether it had a value in the time before. */
  hadWithin(at: number, ms: number): boolean {
    const { times, stale } = this.#columns;
    for (let index = this.#moveTo(at); index >= 0; index -= 1) {
      if (at - (times[index] ?? -Infinity) > ms) return false;
      if (stale[index] !== 1) return true;
    }
    return false;
  }

  #moveTo(at: number): number {
    const { times } = this.#columns;
    if ((times[this.#cursor] ?? -Infinity) > at) this.#cursor = before(times, at);
    while ((times[this.#cursor + 1] ?? Infinity) <= at) this.#cursor += 1;
    return this.#cursor;
  }
}

/** Index of the last time that is not later, -1 if all are. */
function before(times: Float64Array, at: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
