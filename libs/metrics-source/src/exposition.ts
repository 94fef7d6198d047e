import { reject, type Rejection } from '@tidegate/kernel';
import type { Sample } from './metrics-source.port.ts';
import { seriesKey } from './series.ts';

/** One target's text, read: its samples by metric, and every metric it declares, also those without a series. */
export interface Exposition {
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  readonly declared: ReadonlySet<string>;
}

export interface ExpositionContext {
  /** When the target was asked, ms; taken where a line has no timestamp of its own. */
  readonly at: number;
  /** Ms in the unit of timestamps: 1 in the Prometheus format, 1 000 in OpenMetrics. */
  readonly timestampMs?: number;
}

const NAME = /[a-zA-Z_:][\w:]*/y;
const LABEL = /[ \t]*([a-zA-Z_]\w*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*/y;
/** Value, timestamp, and an exemplar of OpenMetrics, which is not read. */
const REST = /[ \t]*([^\s#{]+)(?:[ \t]+(-?\d+(?:\.\d+)?))?[ \t]*(?:#.*)?$/y;
const METADATA = /^#[ \t]+(?:HELP|TYPE)[ \t]+([a-zA-Z_:][\w:]*)(?:[ \t]+(.*))?$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/**
 * Reads the Prometheus text format 0.0.4, and OpenMetrics as far as the two agree. As strict as Prometheus: one line
 * that is no sample refuses the whole text (EXPOSITION_MALFORMED, with its number), as nobody knows what else is wrong.
 */
export function readExposition(text: string, context: ExpositionContext): Exposition | Rejection {
  const samples = new Map<string, Sample[]>();
  const declared = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('#')) {
      for (const name of declaredBy(line)) declared.add(name);
      continue;
    }
    if (line.trim() === '') continue;
    const sample = readSample(line, context);
    if (sample === undefined)
      return reject(
        'EXPOSITION_MALFORMED',
        `line ${index + 1} is not a sample: ${JSON.stringify(line.slice(0, 120))}`,
      );
    declared.add(sample.name);
    const known = samples.get(sample.name);
    if (known) known.push(sample);
    else samples.set(sample.name, [sample]);
  }
  return { samples, declared };
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['', '_total'],
  histogram: ['', '_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

function declaredBy(line: string): string[] {
  const [, name, type] = METADATA.exec(line) ?? [];
  if (name === undefined) return [];
  const suffixes = (line.includes('TYPE') && type && SUFFIXES[type.trim()]) || [''];
  return suffixes.map((suffix) => `${name}${suffix}`);
}

function readSample(line: string, { at, timestampMs = 1 }: ExpositionContext): Sample | undefined {
  const name = matchAt(NAME, line, 0)?.[0];
  if (name === undefined) return undefined;
  const labels = readLabels(line, name.length);
  if (labels === undefined) return undefined;
  const rest = matchAt(REST, line, labels.end);
  const value = rest?.[1] === undefined ? undefined : readValue(rest[1]);
  if (value === undefined) return undefined;
  const timestamp = rest?.[2];
  return {
    name,
    labels: labels.values,
    series: seriesKey(name, labels.values),
    value,
    at: timestamp === undefined ? at : Number(timestamp) * timestampMs,
  };
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
