import { formatDuration } from '@tidegate/kernel';
import { readMatrix, readRowValue, type Row } from './prometheus-answer.ts';
import { type Failure, isFailure, type PrometheusClient } from './prometheus-client.http.ts';
import { PointsBuilder, type RecordedSeries } from './recorded-series.ts';
import { seriesKey } from './series.ts';

interface Span {
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
}
interface Growing {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly points: PointsBuilder;
}

const LONGEST_PAGE_MS = 3_600_000;
const SHORTEST_PAGE_MS = 60_000;
/** Prometheus refuses more than 11 000. */
const MOST_STEPS = 10_000;

/** Series, read page after page; a page that is too large is asked for again in halves. */
export class RangePages {
  readonly #client: PrometheusClient;
  readonly #span: Span;
  readonly #maxPoints: number;
  readonly #series = new Map<string, Growing>();
  readonly #evaluated = new Map<string, Map<string, Growing>>();
  #points = 0;

  constructor(client: PrometheusClient, span: Span, maxPoints: number) {
    this.#client = client;
    this.#span = span;
    this.#maxPoints = maxPoints;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  series = (): RecordedSeries[] => built(this.#series);
  evaluated = (query: string): RecordedSeries[] => built(this.#evaluated.get(query) ?? new Map());

  /** The raw samples of a selector: a range ends with its page, and knows the times of the scrapes. */
  readSeries(selector: string): Promise<Failure | undefined> {
    return this.#paged(selector, LONGEST_PAGE_MS, SHORTEST_PAGE_MS, async (from, to) => {
      const query = `${selector}[${to - from + 1}ms]`; // with both ends, in whichever version
      const answer = await this.#ask('/api/v1/query', { query, time: String(to / 1_000) });
      if (isFailure(answer)) return answer;
      return this.#take(answer.value, this.#series, ({ __name__: name = '', ...labels }) => ({
        name,
        labels,
      }));
    });
  }

  /** What an expression gave at each step. */
  evaluate(query: string): Promise<Failure | undefined> {
    const { stepMs } = this.#span;
    const into = new Map<string, Growing>();
    this.#evaluated.set(query, into);
    return this.#paged(query, stepMs * MOST_STEPS, stepMs, async (from, to) => {
      const times = { start: from, end: to, step: stepMs };
      const seconds = Object.entries(times).map(([name, ms]) => [name, String(ms / 1_000)]);
      const parameters = { query, ...(Object.fromEntries(seconds) as Record<string, string>) };
      const answer = await this.#ask('/api/v1/query_range', parameters);
      if (isFailure(answer)) return answer;
      return this.#take(answer.value, into, (labels) => ({ name: query, labels }));
    });
  }

  #ask = (path: string, parameters: Record<string, string>) =>
    this.#client.call(path, new URLSearchParams(parameters), readMatrix);

  async #paged(
    what: string,
    longestMs: number,
    shortestMs: number,
    read: (from: number, to: number) => Promise<Failure | undefined>,
  ): Promise<Failure | undefined> {
    const { from, to } = this.#span;
    let pageMs = longestMs;
    for (let begin = from; begin <= to;) {
      const end = Math.min(to, begin + pageMs);
      const failure = await read(begin, Math.max(end, begin + 1));
      if (failure && isTooMuch(failure) && pageMs > shortestMs) {
        pageMs = Math.max(1, Math.floor(pageMs / 2 / shortestMs)) * shortestMs;
        continue;
      }
      if (failure) return named(failure, what, pageMs);
      if (this.#points > this.#maxPoints)
        return this.#client.failed(
          'too-large',
          `has more than ${this.#maxPoints} samples in this time: choose a shorter one, or fewer series`,
        );
      if (end === to) return undefined;
      begin = end;
    }
    return undefined;
  }

  #take(
    rows: readonly Row[],
    into: Map<string, Growing>,
    nameOf: (labels: Row['labels']) => Omit<Growing, 'points'>,
  ): Failure | undefined {
    for (const { labels, values } of rows) {
      const named = nameOf(labels);
      const key = seriesKey(named.name, named.labels);
      const { points } = into.get(key) ?? { points: new PointsBuilder() };
      into.set(key, { ...named, points });
      for (const each of values) {
        const value = readRowValue(each);
        if (!value)
          return this.#client.failed('unparsable', `gave ${JSON.stringify(each)} as a value`);
        if (value[0] <= (points.lastAt ?? -Infinity)) continue; // the end of a page begins the next one
        points.push(...value);
        this.#points += 1;
      }
    }
    return undefined;
  }
}

/** A shorter page can help. */
const isTooMuch = ({ failure, message }: Failure): boolean =>
  failure === 'too-large' || (failure === 'query-failed' && /too many|exceed/i.test(message));

const named = (failure: Failure, what: string, pageMs: number): Failure => ({
  ...failure,
  message: isTooMuch(failure)
    ? `${failure.message} That was ${formatDuration(pageMs)} of ${what}: name more labels.`
    : `${failure.message} Asked for: ${what}`,
});

const built = (series: ReadonlyMap<string, Growing>): RecordedSeries[] =>
  [...series.values()].map(({ name, labels, points }) => ({
    name,
    labels,
    points: points.columns(),
  }));
