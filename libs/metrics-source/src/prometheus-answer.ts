import { isRejection, reject, type Rejection } from '@tidegate/kernel';

/** One line of an instant vector. */
export interface Point {
  readonly labels: Readonly<Record<string, string>>;
  /** ms since 1970. */
  readonly at: number;
  readonly value: number;
}

/** Answers have the shape {status, data: {resultType, result: [{metric, value: [seconds, text]}]}}. */
export function readVector(text: string): readonly Point[] | Rejection {
  const data = readData(text);
  return isRejection(data) ? data : vectorOf(asFields(data));
}

/** One line of a range. */
export interface Row {
  readonly labels: Readonly<Record<string, string>>;
  /** Each [seconds since 1970, text of the value]. */
  readonly values: readonly unknown[];
}

/** Ranges have the shape {resultType: 'matrix', result: [{metric, values: [[seconds, text], …]}]}. */
export function readMatrix(text: string): readonly Row[] | Rejection {
  const data = readData(text);
  if (isRejection(data)) return data;
  const { resultType, result } = asFields(data);
  if (resultType !== 'matrix' || !Array.isArray(result))
    return malformed(`a result of the type ${JSON.stringify(resultType)}, not a matrix`);
  const rows: Row[] = [];
  for (const { metric, values } of result.map(asFields)) {
    const labels = stringsOf(metric);
    if (labels === undefined || !Array.isArray(values))
      return malformed('a series without values, such as a native histogram');
    rows.push({ labels, values });
  }
  return rows;
}

/** A value of a range and its instant in ms; undefined if it is none. */
export function readRowValue(value: unknown): readonly [at: number, value: number] | undefined {
  const [seconds, text] = Array.isArray(value) ? (value as unknown[]) : [];
  const number = typeof text === 'string' ? numberOf(text) : undefined;
  return typeof seconds === 'number' && number !== undefined
    ? [Math.round(seconds * 1_000), number]
    : undefined;
}

/** What an expression gave: a vector, or a number, which is a vector of one without labels. */
export function readPoints(text: string): readonly Point[] | Rejection {
  const data = readData(text);
  if (isRejection(data)) return data;
  const { resultType, result } = asFields(data);
  if (resultType === 'scalar')
    return vectorOf({ resultType: 'vector', result: [{ value: result }] });
  return resultType === 'matrix' || resultType === 'string'
    ? reject('QUERY_FAILED', `a ${resultType}, where one value at one instant is wanted`)
    : vectorOf({ resultType, result });
}

function vectorOf({ resultType, result }: Fields): readonly Point[] | Rejection {
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

/** Alerting rules by name, as `/api/v1/rules` lists them: null if it is evaluated, otherwise why not. */
export type RuleHealth = ReadonlyMap<string, string | null>;

/** Of several rules with one name, all must be well: nobody knows which is meant. */
export function readRules(text: string, now: number): RuleHealth | Rejection {
  const data = readData(text);
  if (isRejection(data)) return data;
  const { groups } = asFields(data);
  if (!Array.isArray(groups)) return malformed('rules without groups');
  const rules = new Map<string, string | null>();
  for (const { interval, rules: listed } of groups.map(asFields))
    for (const rule of Array.isArray(listed) ? listed.map(asFields) : []) {
      if (rule['type'] !== 'alerting' || typeof rule['name'] !== 'string') continue;
      rules.set(rule['name'], rules.get(rule['name']) ?? illnessOf(rule, interval, now));
    }
  return rules;
}

/** So many intervals late, and a minute, a rule is not evaluated any more: its silence says nothing. */
const LATE_INTERVALS = 3;

function illnessOf({ health, lastError, lastEvaluation }: Fields, interval: unknown, now: number) {
  const words = [health, lastError].filter((each) => typeof each === 'string' && each !== '');
  if (health !== 'ok') return words.join(': ') || 'unknown';
  const last = typeof lastEvaluation === 'string' ? Date.parse(lastEvaluation) : Number.NaN;
  const lateMs = 60_000 + LATE_INTERVALS * 1_000 * (typeof interval === 'number' ? interval : 0);
  return now - last > lateMs ? `the last time was ${new Date(last).toISOString()}` : null;
}

export const malformed = (what: string): Rejection => reject('ANSWER_MALFORMED', what);

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

type Fields = Readonly<Record<string, unknown>>;
const asFields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function stringsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(asFields(value));
  return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
    ? Object.fromEntries(entries)
    : undefined;
}
