import type { Selector } from '@tidegate/contracts';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import type { Sample } from './metrics-source.port.ts';
import { malformed, type Point, readVector } from './prometheus-answer.ts';
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
