import { seriesKey } from './series.ts';

/** One line of either format. Why it is parsed here: docs/decisions/0013-reading-metrics.md. */
export interface Line {
  readonly series: SeriesText;
  readonly value: number;
  /** In the format's unit; undefined where the line has none. */
  readonly timestamp: number | undefined;
}
export interface SeriesText {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly key: string;
}

const NAME = /[a-zA-Z_:][\w:]*/y;
const LABEL = /[ \t]*([a-zA-Z_]\w*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*/y;
/** Value, timestamp, and an exemplar of OpenMetrics, which is not read. */
const REST = /[ \t]*([^\s#{]+)(?:[ \t]+(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))?[ \t]*(?:#.*)?$/y;
const METADATA = /^#[ \t]+(?:HELP|TYPE|UNIT)[ \t]+([a-zA-Z_:][\w:]*)(?:[ \t]+(.*))?$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

export const EOF = '# EOF';

/** Name and labels of a series, and where what follows begins; undefined if they are malformed. */
export function readSeriesText(line: string): { series: SeriesText; end: number } | undefined {
  const name = matchAt(NAME, line, 0)?.[0];
  if (name === undefined) return undefined;
  const labels = readLabels(line, name.length);
  if (labels === undefined) return undefined;
  const { values, end } = labels;
  return { series: { name, labels: values, key: seriesKey(name, values) }, end };
}

/** Value and timestamp, from where the series ends. */
export function readRest(line: string, from: number): Omit<Line, 'series'> | undefined {
  const rest = matchAt(REST, line, from);
  const value = rest?.[1] === undefined ? undefined : readValue(rest[1]);
  if (value === undefined) return undefined;
  const timestamp = rest?.[2];
  return { value, timestamp: timestamp === undefined ? undefined : Number(timestamp) };
}

export function readLine(line: string): Line | undefined {
  const read = readSeriesText(line);
  const rest = read && readRest(line, read.end);
  return rest && { series: read.series, ...rest };
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['', '_total', '_created'],
  histogram: ['', '_bucket', '_sum', '_count', '_created'],
  summary: ['', '_sum', '_count', '_created'],
  gaugehistogram: ['', '_bucket', '_gsum', '_gcount'],
  info: ['', '_info'],
};

/** The metrics that a line with a type, a help or a unit declares. */
export function declaredBy(line: string): string[] {
  const [, name, type] = METADATA.exec(line) ?? [];
  if (name === undefined) return [];
  const suffixes = (line.includes('TYPE') && type && SUFFIXES[type.trim()]) || [''];
  return suffixes.map((suffix) => `${name}${suffix}`);
}

/** The labels in braces that begin at `from`, if any, and where the rest begins; undefined if they are malformed. */
function readLabels(
  line: string,
  from: number,
): { values: Record<string, string>; end: number } | undefined {
  let end = skipBlanks(line, from);
  // Without braces a blank must part name and value.
  if (line[end] !== '{') return end > from ? { values: {}, end } : undefined;
  const pairs: [string, string][] = [];
  end = skipBlanks(line, end + 1);
  while (line[end] !== '}') {
    const label = matchAt(LABEL, line, end);
    if (!label) return undefined;
    pairs.push([label[1] ?? '', unescape(label[2] ?? '')]);
    end += label[0].length;
    if (line[end] === ',') end = skipBlanks(line, end + 1);
    else if (line[end] !== '}') return undefined;
  }
  const values = Object.fromEntries(pairs);
  return Object.keys(values).length === pairs.length ? { values, end: end + 1 } : undefined;
}

function matchAt(pattern: RegExp, line: string, from: number): RegExpExecArray | null {
  pattern.lastIndex = from;
  return pattern.exec(line);
}

function skipBlanks(line: string, from: number): number {
  let end = from;
  while (line[end] === ' ' || line[end] === '\t') end += 1;
  return end;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };
const unescape = (text: string): string =>
  text.includes('\\') ? text.replaceAll(/\\./g, (pair) => ESCAPES[pair] ?? pair) : text;

function readValue(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text);
  if (/^nan$/i.test(text)) return Number.NaN;
  const sign = INFINITE.exec(text)?.[1];
  return sign === undefined ? undefined : sign === '-' ? -Infinity : Infinity;
}

/** Where name and labels end; braces and blanks within quotes are text. */
export function endOfSeries(line: string): number {
  const brace = line.indexOf('{');
  const blank = line.search(/[ \t]/);
  if (brace === -1 || (blank !== -1 && blank < brace && !/^[ \t]*\{/.test(line.slice(blank))))
    return blank === -1 ? line.length : blank;
  let end = brace + 1;
  for (let quoted = false; end < line.length; end += 1) {
    const character = line[end];
    if (quoted && character === '\\') end += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === '}' && !quoted) break;
  }
  return end + 1;
}
