import type { Selector } from '@tidegate/contracts';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import type { Sample } from './metrics-source.port.ts';
import { seriesKey } from './series.ts';

/** What Prometheus says of one selector at one instant. */
export interface Selected {
  /** Each with the timestamp of its own scrape. */
  readonly samples: readonly Sample[];
  /** Targets that had such series lately and cannot be scraped now. */
  readonly down: readonly TargetName[];
}
export interface TargetName {
  readonly job: string;
  readonly instance: string;
}

/** One line of an instant vector. */
interface Point {
  readonly labels: Readonly<Record<string, string>>;
  /** ms since 1970. */
  readonly at: number;
  readonly value: number;
}

/** For how long a target that is down is remembered by what it had. */
const REMEMBERED = '1h';
/** Tells the parts of a query apart; set operators take series with equal labels for one, whatever their names. */
const PART = '__tidegate_part__';
const LABEL = /^[a-zA-Z_]\w*$/;

/** `{__name__="a_total",code=~"500|503"}`; refused with LABEL_MALFORMED. Equal selectors have equal texts. */
export function selectorText({ metric, where }: Selector): string | Rejection {
  const wrong = Object.keys(where).find((label) => !LABEL.test(label));
  if (wrong !== undefined)
    return reject('LABEL_MALFORMED', `${JSON.stringify(wrong)} is no name of a label`);
  const matchers = Object.entries(where)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, wanted]) => `${label}${matcherOf(wanted)}`);
  return `{${[`__name__=${JSON.stringify(metric)}`, ...matchers].join(',')}}`;
}

const matcherOf = (wanted: string | readonly string[]): string =>
  typeof wanted === 'string'
    ? `=${JSON.stringify(wanted)}`
    : `=~${JSON.stringify(wanted.map(literally).join('|'))}`;

const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/**
 * One instant query for all of them: the raw values; beside each the timestamp of its scrape, as an instant vector has
 * only that of the query; and which targets that had such series are down. Series that Prometheus has marked as
 * stale, which it does as soon as their target is gone, are not in it.
 */
export const queryOf = (selectors: readonly string[]): string =>
  selectors
    .flatMap((text, index) => [
      part(`v${index}`, text),
      part(`t${index}`, `timestamp(${text})`),
      part(`d${index}`, `up == 0 and on (job, instance) last_over_time(${text}[${REMEMBERED}])`),
    ])
    .join(' or ');

const part = (name: string, expression: string): string =>
  `label_replace(${expression}, "${PART}", "${name}", "", "")`;

/** The answer to `queryOf`, by selector. Refused with QUERY_FAILED in Prometheus' words, or ANSWER_MALFORMED. */
export function readSelected(
  text: string,
  selectors: readonly Pick<Selector, 'metric'>[],
): readonly Selected[] | Rejection {
  const points = readVector(text);
  if (isRejection(points)) return points;
  const parts = new Map<string, Point[]>();
  for (const point of points) {
    const { [PART]: name = '', __name__: _name, ...labels } = point.labels;
    const known = parts.get(name);
    if (known) known.push({ ...point, labels });
    else parts.set(name, [{ ...point, labels }]);
  }
  const selected: Selected[] = [];
  for (const [index, { metric }] of selectors.entries()) {
    const samples = timed(metric, parts.get(`v${index}`) ?? [], parts.get(`t${index}`) ?? []);
    if (isRejection(samples)) return samples;
    selected.push({ samples, down: (parts.get(`d${index}`) ?? []).map(targetName) });
  }
  return selected;
}

const targetName = ({ labels: { job = '', instance = '' } }: Point): TargetName => ({
  job,
  instance,
});

/** Values with the timestamps that stand beside them, in the order of their keys; no series twice. */
function timed(
  metric: string,
  values: readonly Point[],
  times: readonly Point[],
): readonly Sample[] | Rejection {
  const known = new Map(times.map(({ labels, value }) => [seriesKey(metric, labels), value]));
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const { labels, value } of values) {
    const series = seriesKey(metric, labels);
    if (seen.has(series)) return malformed(`${series} is there twice`);
    seen.add(series);
    const seconds = known.get(series);
    if (seconds === undefined) return malformed(`${series} has no timestamp`);
    samples.push({ name: metric, labels, series, value, at: Math.round(seconds * 1_000) });
  }
  return samples.sort((a, b) => (a.series < b.series ? -1 : 1));
}

/** Answers have the shape {status, data: {resultType, result: [{metric, value: [seconds, text]}]}}. */
function readVector(text: string): readonly Point[] | Rejection {
  const data = readData(text);
  if (isRejection(data)) return data;
  const { resultType, result } = asFields(data);
  if (resultType !== 'vector' || !Array.isArray(result))
    return malformed(`a result of the type ${JSON.stringify(resultType)}, not a vector`);
  const points: Point[] = [];
  for (const item of result.map(asFields)) {
    const [seconds, value] = Array.isArray(item['value']) ? (item['value'] as unknown[]) : [];
    if (typeof seconds !== 'number' || typeof value !== 'string')
      return malformed('a series without a value, such as a native histogram');
    const labels = stringsOf(item['metric']);
    const number = numberOf(value);
    if (labels === undefined || number === undefined)
      return malformed(`a series of ${JSON.stringify(item).slice(0, 120)}`);
    points.push({ labels, at: Math.round(seconds * 1_000), value: number });
  }
  return points;
}

/**
 * `data` of any answer of the HTTP API. Refused with QUERY_FAILED where it reports an error, or a warning: those say
 * that a part is missing. Refused with QUERY_TIMEOUT where Prometheus gave up.
 */
export function readData(text: string): unknown {
  const answer = parse(text);
  const { status, data, errorType, error, warnings } = asFields(answer);
  if (status === 'error' && typeof error === 'string')
    return reject(
      errorType === 'timeout' ? 'QUERY_TIMEOUT' : 'QUERY_FAILED',
      `${String(errorType)}: ${error.slice(0, 500)}`,
    );
  if (status !== 'success' || data === undefined)
    return malformed(JSON.stringify(text.slice(0, 120)));
  if (Array.isArray(warnings) && warnings.length > 0)
    return reject('QUERY_FAILED', `a warning: ${String(warnings[0]).slice(0, 500)}`);
  return data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // refused by whoever reads it, with the text
  }
}

/** Targets that declare a metric, as `/api/v1/targets/metadata` lists them. */
export function readTargets(text: string): readonly Readonly<Record<string, string>>[] | Rejection {
  const data = readData(text);
  if (isRejection(data)) return data;
  if (!Array.isArray(data)) return malformed('metadata that are not a list');
  return data.flatMap((each) => {
    const labels = stringsOf(asFields(each)['target']);
    return labels === undefined ? [] : [labels];
  });
}

const malformed = (what: string): Rejection => reject('ANSWER_MALFORMED', what);

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  '+Inf': Infinity,
  '-Inf': -Infinity,
};
function numberOf(text: string): number | undefined {
  if (Object.hasOwn(SPECIAL, text)) return SPECIAL[text];
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? undefined : number;
}

const asFields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function stringsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(asFields(value));
  return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
    ? Object.fromEntries(entries)
    : undefined;
}
