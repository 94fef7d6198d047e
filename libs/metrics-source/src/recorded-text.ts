import { reject, type Rejection } from '@tidegate/kernel';
import {
  declaredBy,
  endOfSeries,
  EOF,
  readRest,
  readSeriesText,
  type SeriesText,
} from './exposition-line.ts';
import { PointsBuilder, type RecordedSeries } from './recorded-series.ts';

/** What was recorded, by whichever reader. */
export interface RecordedText {
  readonly series: readonly RecordedSeries[];
  /** Metrics that were declared, also those without a series. */
  readonly declared: readonly string[];
}

interface Growing extends SeriesText {
  readonly points: PointsBuilder;
}

/** Timestamps below this, taken as ms, would be before 1973: they are seconds. */
const SECONDS_BELOW = 100_000_000_000;

/**
 * Reads many scrapes in one file: OpenMetrics, which ends with `# EOF` and has timestamps in seconds (as
 * `promtool tsdb dump-openmetrics` writes it), or the Prometheus text format with timestamps in milliseconds. Refused with
 * RECORDING_MALFORMED and the line's number: a line that is no sample, has no timestamp, or is older than the line
 * before it of the same series.
 */
export function readOpenMetricsFile(text: string): RecordedText | Rejection {
  const unitMs = text.trimEnd().endsWith(EOF) ? 1_000 : 1;
  const reader = new FileReader(unitMs);
  let number = 0;
  for (let from = 0; from < text.length;) {
    const feed = text.indexOf('\n', from);
    const end = feed === -1 ? text.length : feed;
    const line = text.slice(from, end);
    number += 1;
    const wrong = reader.take(line);
    if (wrong !== undefined)
      return reject(
        'RECORDING_MALFORMED',
        `line ${number} ${wrong}: ${JSON.stringify(line.slice(0, 120))}`,
      );
    from = end + 1;
  }
  return reader.read();
}

class FileReader {
  readonly #unitMs: number;
  readonly #series = new Map<string, Growing>();
  readonly #declared = new Set<string>();
  /** By the text of name and labels as it stands: parsed once. */
  readonly #byText = new Map<string, Growing>();
  #ended = false;

  constructor(unitMs: number) {
    this.#unitMs = unitMs;
  }

  /** What is wrong with the line, if anything. */
  take(line: string): string | undefined {
    if (line.trim() === '') return undefined;
    if (this.#ended) return 'stands after # EOF';
    if (line.startsWith('#')) {
      this.#ended = line === EOF;
      for (const name of declaredBy(line)) this.#declared.add(name);
      return undefined;
    }
    const end = endOfSeries(line);
    const growing = this.#growing(line.slice(0, end));
    const rest = growing && readRest(line, end);
    if (!rest) return 'is not a sample';
    if (rest.timestamp === undefined) return 'has no timestamp, which a recording needs';
    if (this.#unitMs === 1 && rest.timestamp < SECONDS_BELOW)
      return 'has its timestamp in seconds: that is OpenMetrics, which ends with # EOF';
    return add(growing, Math.round(rest.timestamp * this.#unitMs), rest.value);
  }

  read(): RecordedText {
    const series = [...this.#series.values()].map(({ name, labels, points }) => ({
      name,
      labels,
      points: points.columns(),
    }));
    return { series, declared: [...this.#declared] };
  }

  #growing(text: string): Growing | undefined {
    const known = this.#byText.get(text);
    if (known) return known;
    const read = readSeriesText(`${text} `);
    if (!read || read.end < text.length) return undefined;
    const { series } = read;
    const growing = this.#series.get(series.key) ?? { ...series, points: new PointsBuilder() };
    this.#series.set(series.key, growing);
    this.#byText.set(text, growing);
    this.#declared.add(series.name);
    return growing;
  }
}

/** The same line again is the same scrape again. */
function add({ points }: Growing, at: number, value: number): string | undefined {
  const { lastAt } = points;
  if (lastAt !== undefined && at < lastAt) return 'is older than the line before it of this series';
  if (lastAt === at)
    return Object.is(points.lastValue, value) ? undefined : 'gives a second value for one instant';
  points.push(at, value);
  return undefined;
}
