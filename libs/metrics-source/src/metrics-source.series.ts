import type { Selector } from '@tidegate/contracts';
import type { ReadFailure } from './failures.ts';
import type {
  MetricsSource,
  QueryAnswer,
  Reading,
  Sample,
  TakenReading,
} from './metrics-source.port.ts';
import { boundedOf, MOST_SERIES, type Wanted, wantedOf } from './reading.ts';
import type { RecordedSeries } from './recorded-series.ts';
import { isSelected } from './series.ts';
import { SeriesTrack } from './series-track.ts';

export interface SeriesOptions {
  /** For how long a value holds where none follows it, ms; as in Prometheus 5 minutes. */
  readonly lookbackMs?: number;
  /** Metrics that were declared, beside those that have a series anywhere in the recording. */
  readonly declared?: readonly string[];
  /** Where reading itself failed: how, by target and instant. */
  readonly failing?: (target: string, at: number) => ReadFailure | undefined;
  /** Alerting rules that there were; by default those that an ALERTS series names. */
  readonly rules?: readonly string[];
}

/** For how long a target that is down is remembered by what it had, as by the Prometheus adapter. */
const REMEMBERED_MS = 3_600_000;

/**
 * Answers at any instant as a Prometheus with these series would have, for rehearsals. An expression is answered by the
 * series that are named by it. Every target gives the same series; an address to be scraped gives those of its
 * `instance`, if they have such a label. Instants in their order are fast.
 */
export function seriesSource(
  recorded: readonly RecordedSeries[],
  options: SeriesOptions = {},
): MetricsSource {
  const archives = new Map<string, Archive>();
  const archiveOf = (target: string): Archive => {
    const known = archives.get(target);
    if (known) return known;
    const archive = new Archive(seriesOf(target, recorded), options);
    archives.set(target, archive);
    return archive;
  };
  return {
    read: async (requests, at): Promise<readonly Reading[]> =>
      [...wantedOf(requests)].map(([target, wanted]): Reading => {
        const failure = options.failing?.(target, at);
        if (failure === undefined) return archiveOf(target).read(target, wanted, at);
        const message = `${target} could not be read: ${failure}.`;
        return { outcome: 'failed', target, at, failure, message };
      }),
  };
}

function seriesOf(target: string, recorded: readonly RecordedSeries[]): readonly RecordedSeries[] {
  if (!/^https?:/.test(target) || !recorded.some(({ labels }) => 'instance' in labels))
    return recorded;
  const { host } = new URL(target);
  return recorded.filter(({ labels }) => labels['instance'] === host);
}

/** Series, found by selector once and then by moving on. */
class Archive {
  readonly #tracks: readonly SeriesTrack[];
  readonly #lookbackMs: number;
  readonly #declared: ReadonlySet<string>;
  readonly #rules: ReadonlySet<string | undefined>;
  readonly #chosen = new Map<string, readonly SeriesTrack[]>();
  /** By what was asked for: the same is asked at every instant. */
  readonly #wanted = new Map<string, readonly SeriesTrack[]>();
  readonly #ups: readonly SeriesTrack[];

  constructor(recorded: readonly RecordedSeries[], options: SeriesOptions) {
    const { lookbackMs = 300_000, declared = [], rules } = options;
    this.#tracks = recorded.map((each) => new SeriesTrack(each));
    this.#ups = this.#tracks.filter(({ name }) => name === 'up');
    this.#lookbackMs = lookbackMs;
    this.#declared = new Set([...declared, ...recorded.map(({ name }) => name)]);
    const alerts = recorded.filter(({ name }) => name === 'ALERTS');
    this.#rules = new Set(rules ?? alerts.map(({ labels }) => labels['alertname']));
  }

  read(target: string, wanted: Wanted, at: number): Reading {
    const { queries, rules } = wanted;
    const tracks = this.#tracksFor(wanted);
    const all = this.#samplesOf(tracks, at);
    const bounded =
      all.length <= MOST_SERIES
        ? { metrics: [...wanted.metrics], samples: all }
        : boundedOf(target, wanted, at, (metric) => all.filter(({ name }) => name === metric));
    if ('failure' in bounded) return bounded;
    const { metrics, samples, ...unread } = bounded;
    const newest = newestOf(samples) ?? newestOf(this.#samplesOf(this.#tracks, at));
    return {
      outcome: 'taken',
      target,
      at: newest ?? at,
      samples,
      declared: newest === undefined ? [] : metrics.filter((name) => this.#declared.has(name)),
      ...unread,
      ...(queries.length > 0 ? { answers: this.#answersTo(target, queries, at) } : {}),
      ...(rules.length > 0 ? { rules: rules.filter((rule) => this.#rules.has(rule)) } : {}),
      ...this.#missingIn(target, wanted.selectors, at),
    };
  }

  #samplesOf(tracks: readonly SeriesTrack[], at: number): Sample[] {
    const samples: Sample[] = [];
    for (const track of tracks) {
      const sample = track.sampleAt(at, this.#lookbackMs);
      if (sample) samples.push(sample);
    }
    return samples;
  }

  /** Each once, metric by metric. */
  #tracksFor(wanted: Wanted): readonly SeriesTrack[] {
    const key = JSON.stringify([[...wanted.metrics], wanted.selectors]);
    const known = this.#wanted.get(key);
    if (known) return known;
    const chosen = new Set(wanted.selectors.flatMap((each) => this.#select(each)));
    const tracks = [...wanted.metrics].flatMap((metric) =>
      [...chosen].filter(({ name }) => name === metric),
    );
    this.#wanted.set(key, tracks);
    return tracks;
  }

  #select(selector: Selector): readonly SeriesTrack[] {
    const key = JSON.stringify(selector);
    const known = this.#chosen.get(key);
    if (known) return known;
    const chosen = this.#tracks.filter((track) => isSelected(track, selector));
    this.#chosen.set(key, chosen);
    return chosen;
  }

  #answersTo(target: string, queries: readonly string[], at: number) {
    const answers = queries.map((query): [string, QueryAnswer] => {
      const tracks = this.#select({ metric: query, where: {} });
      if (tracks.length > 0) {
        const samples = this.#samplesOf(tracks, at);
        return [query, { points: samples.map(({ labels, value, at }) => ({ labels, value, at })) }];
      }
      const message = `Nothing is recorded of what ${target} answered to ${query}.`;
      return [query, { failure: 'query-failed', message }];
    });
    return Object.fromEntries(answers);
  }

  /** The targets that had such series and, by their `up`, could not be scraped. */
  #missingIn(target: string, selectors: readonly Selector[], at: number): Missing {
    const dead = this.#samplesOf(this.#ups, at).filter(({ value }) => value === 0);
    const away = dead.map(({ labels }) => ({
      target: { job: labels['job'] ?? '', instance: labels['instance'] ?? '' },
      had: selectors.filter((each) => this.#had(each, labels, at)),
    }));
    const lacking = selectors.flatMap((selector) => {
      const first = away.find(({ had }) => had.includes(selector));
      if (!first) return [];
      const { job, instance } = first.target;
      const message = `${target} could not scrape ${instance} (${job}), which had ${selector.metric}.`;
      return [{ selector, message }];
    });
    if (!lacking[0]) return {};
    const down = away.flatMap((each) => (each.had.length > 0 ? [each.target] : []));
    return { down, lacks: lacking[0].message, lacking };
  }

  #had = (selector: Selector, { job, instance }: Sample['labels'], at: number): boolean =>
    this.#select(selector).some(
      (track) =>
        track.labels['job'] === job &&
        track.labels['instance'] === instance &&
        track.hadWithin(at, REMEMBERED_MS),
    );
}

type Missing = Pick<TakenReading, 'down' | 'lacks' | 'lacking'>;

const newestOf = (samples: readonly Sample[]): number | undefined =>
  samples.length === 0
    ? undefined
    : samples.reduce((newest, { at }) => Math.max(newest, at), -Infinity);
