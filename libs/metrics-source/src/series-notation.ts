import { isRejection, messageOf, parseDuration, reject, type Rejection } from '@tidegate/kernel';
import { parse as parseYaml } from 'yaml';
import { endOfSeries, readSeriesText } from './exposition-line.ts';
import { columnsOf, type RecordedSeries } from './recorded-series.ts';
import type { RecordedText } from './recorded-text.ts';
import { MOST_POINTS, readSeriesValues } from './series-values.ts';

export interface NotationOptions {
  /** Of the first value, ms since 1970. */
  readonly startAt: number;
  /** Between two values, where the text does not say it; promtool's default is a minute. */
  readonly intervalMs?: number;
  /** Of all series together; ten million if left out. More are refused. */
  readonly maxPoints?: number;
  /** Which test of a file with several. */
  readonly test?: string;
}

interface Line {
  readonly series: string;
  readonly values: string;
  /** Where it stands, for a refusal. */
  readonly where: string;
}
interface Block {
  readonly intervalMs: number;
  readonly lines: readonly Line[];
}

/**
 * Reads the series of a rule test for promtool (YAML with `input_series`), or plain lines such as
 * `http_requests_total{code="500"} 0+1x10 _ stale`, which a line `load 5s` may precede. Refused with NOTATION_MALFORMED and
 * the place.
 */
export function readSeriesNotation(
  text: string,
  options: NotationOptions,
): RecordedText | Rejection {
  const block = /^\s*(?:-\s*)?input_series\s*:/m.test(text)
    ? yamlBlock(text, options)
    : linesBlock(text, options);
  if (isRejection(block)) return block;
  const series = new Map<string, RecordedSeries>();
  const { startAt, maxPoints: room = MOST_POINTS } = options;
  let maxPoints = room;
  for (const line of block.lines) {
    const read = readOne(line, { startAt, intervalMs: block.intervalMs, maxPoints });
    if (isRejection(read)) return read;
    maxPoints -= columnsOf(read.series).times.length;
    if (series.has(read.key)) return malformed(line.where, `gives ${line.series} a second time`);
    series.set(read.key, read.series);
  }
  const all = [...series.values()];
  return { series: all, declared: [...new Set(all.map(({ name }) => name))] };
}

function readOne(
  { series: text, values, where }: Line,
  times: { readonly startAt: number; readonly intervalMs: number; readonly maxPoints: number },
): { readonly key: string; readonly series: RecordedSeries } | Rejection {
  const read = readSeriesText(`${text} `);
  if (!read || read.end < text.length) return malformed(where, `names no series: ${text}`);
  const points = readSeriesValues(values, times);
  if (isRejection(points)) return malformed(where, points.message);
  const { key, name, labels } = read.series;
  return { key, series: { name, labels, points } };
}

function linesBlock(text: string, { intervalMs = 60_000 }: NotationOptions): Block | Rejection {
  let interval = intervalMs;
  const lines: Line[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    const where = `line ${index + 1}`;
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const load = /^load\s+(\S+)$/.exec(trimmed)?.[1];
    if (load === undefined) {
      const end = endOfSeries(trimmed);
      lines.push({ series: trimmed.slice(0, end), values: trimmed.slice(end), where });
      continue;
    }
    const read = intervalOf(load, where);
    if (isRejection(read)) return read;
    if (lines.length > 0) return malformed(where, 'loads a second time');
    interval = read;
  }
  return { intervalMs: interval, lines };
}

function yamlBlock(text: string, options: NotationOptions): Block | Rejection {
  const parsed = fromYaml(text);
  if (isRejection(parsed)) return parsed;
  const file = fieldsOf(parsed);
  const tests = Array.isArray(file['tests']) ? file['tests'].map(fieldsOf) : [file];
  const named = tests.filter(({ name }) => options.test === undefined || name === options.test);
  const [test] = named;
  if (!test || named.length > 1)
    return malformed(
      'the file',
      `has ${named.length} tests of which one is wanted: say which by name`,
    );
  const written = test['interval'] ?? file['evaluation_interval'];
  const intervalMs =
    written === undefined ? (options.intervalMs ?? 60_000) : intervalOf(written, 'interval');
  if (isRejection(intervalMs)) return intervalMs;
  const listed = test['input_series'];
  if (!Array.isArray(listed)) return malformed('input_series', 'is no list');
  const lines: Line[] = [];
  for (const [index, { series, values }] of listed.map(fieldsOf).entries()) {
    const where = `input_series[${index}]`;
    if (typeof series !== 'string' || !['string', 'number'].includes(typeof values))
      return malformed(where, 'needs the texts series and values');
    lines.push({ series: series.trim(), values: String(values), where });
  }
  return { intervalMs, lines };
}

function intervalOf(text: unknown, where: string): number | Rejection {
  const ms = parseDuration(String(text));
  if (isRejection(ms)) return malformed(where, ms.message);
  return ms > 0 ? ms : malformed(where, 'must be longer than nothing');
}

function fromYaml(text: string): unknown {
  try {
    return parseYaml(text) as unknown;
  } catch (error) {
    return malformed('the YAML', messageOf(error));
  }
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const malformed = (where: string, what: string): Rejection =>
  reject('NOTATION_MALFORMED', `${where}: ${what}`);
