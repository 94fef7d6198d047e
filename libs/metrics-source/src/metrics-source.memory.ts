import { isRejection } from '@tidegate/kernel';
import { readExposition } from './exposition.ts';
import { type ReadFailure, readFailures } from './failures.ts';
import type { MetricsSource, QueryAnswer, QueryPoint, Reading } from './metrics-source.port.ts';
import { pickReading, type Wanted, wantedOf } from './reading.ts';

/** A source that answers from what was recorded: for specs and simulations. */
export interface RecordedSource extends MetricsSource {
  /**
   * From the instant `from` on, and until a later recording, the target answers with this: Prometheus text, a failure's
   * name, or either of them by the instant at which it is read.
   */
  record(target: string, from: number, answer: RecordedAnswer): void;
  /** The same for an expression. One that was not recorded is refused with `query-failed`. */
  recordQuery(target: string, query: string, from: number, answer: RecordedValue): void;
  /** The alerting rules that it has from the instant `from` on. */
  recordRules(target: string, from: number, rules: readonly string[]): void;
}
export type RecordedAnswer = string | ((at: number) => string);
type Value = number | ReadFailure | readonly Omit<QueryPoint, 'at'>[];
/** One number without labels, several with them, or a failure's name. */
export type RecordedValue = Value | ((at: number) => Value);

/** Every reading is taken at the very instant that is asked for; a target without a recording is unreachable. */
export function recordedSource(): RecordedSource {
  const texts = timeline<RecordedAnswer>();
  const values = timeline<RecordedValue>();
  const rules = timeline<readonly string[]>();
  const key = (target: string, query: string): string => JSON.stringify([target, query]);
  return {
    record: texts.record,
    recordQuery: (target, query, from, answer) => values.record(key(target, query), from, answer),
    recordRules: rules.record,
    read: async (requests, at) =>
      [...wantedOf(requests)].map(([target, wanted]) => {
        const text = texts.at(target, at) ?? 'unreachable';
        const reading = answered(target, wanted, at, typeof text === 'string' ? text : text(at));
        if (reading.outcome === 'failed') return reading;
        const answers = wanted.queries.map((query) => {
          const value = values.at(key(target, query), at) ?? 'query-failed';
          const now = typeof value === 'function' ? value(at) : value;
          return [query, answerOf(target, query, now, at)] as const;
        });
        const known = rules.at(target, at) ?? [];
        const { ruleFailures: _scrapedOnly, ...taken } = reading;
        return {
          ...taken,
          ...(answers.length > 0 ? { answers: Object.fromEntries(answers) } : {}),
          ...(wanted.rules.length > 0
            ? { rules: wanted.rules.filter((rule) => known.includes(rule)) }
            : {}),
        };
      }),
  };
}

/** What holds from an instant on, by key. */
function timeline<T>() {
  const recorded = new Map<string, { readonly from: number; readonly what: T }[]>();
  return {
    record(key: string, from: number, what: T): void {
      const all = [...(recorded.get(key) ?? []), { from, what }];
      recorded.set(
        key,
        all.sort((a, b) => a.from - b.from),
      );
    },
    at: (key: string, at: number): T | undefined =>
      recorded.get(key)?.findLast(({ from }) => from <= at)?.what,
  };
}

function answered(target: string, wanted: Wanted, at: number, answer: string): Reading {
  const failed = (failure: ReadFailure, why: string) =>
    pickReading(target, wanted, { at, failure, message: `${target} could not be read: ${why}.` });
  const failure = readFailures.find((each) => each === answer);
  if (failure !== undefined) return failed(failure, failure);
  const exposition = readExposition(answer, { at });
  return isRejection(exposition)
    ? failed('unparsable', exposition.message)
    : pickReading(target, wanted, { at, exposition });
}

function answerOf(target: string, query: string, value: Value, at: number): QueryAnswer {
  if (typeof value === 'string')
    return { failure: value, message: `${target} could not answer ${query}: ${value}.` };
  const points = typeof value === 'number' ? [{ labels: {}, value }] : value;
  return { points: points.map((point) => ({ ...point, at })) };
}
