import { isRejection } from '@tidegate/kernel';
import { readExposition } from './exposition.ts';
import { type ReadFailure, readFailures } from './failures.ts';
import type { MetricsSource, Reading } from './metrics-source.port.ts';
import { pickReading, targetsOf } from './reading.ts';

/** A source that answers from what was recorded: for specs, simulations and rehearsals. */
export interface RecordedSource extends MetricsSource {
  /**
   * From the instant `from` on, and until a later recording, the target answers with this: Prometheus text, a failure's
   * name, or either of them by the instant at which it is read.
   */
  record(target: string, from: number, answer: RecordedAnswer): void;
}
export type RecordedAnswer = string | ((at: number) => string);

/** Every reading is taken at the very instant that is asked for; a target without a recording is unreachable. */
export function recordedSource(): RecordedSource {
  const recordings = new Map<string, { from: number; answer: RecordedAnswer }[]>();
  return {
    record(target, from, answer) {
      const all = [...(recordings.get(target) ?? []), { from, answer }];
      recordings.set(
        target,
        all.sort((a, b) => a.from - b.from),
      );
    },
    read: async (requests, at) =>
      [...targetsOf(requests)].map(([target, metrics]) => {
        const newest = recordings.get(target)?.findLast(({ from }) => from <= at);
        const answer = newest?.answer ?? 'unreachable';
        return answered(target, metrics, at, typeof answer === 'string' ? answer : answer(at));
      }),
  };
}

function answered(
  target: string,
  metrics: ReadonlySet<string>,
  at: number,
  answer: string,
): Reading {
  const failed = (failure: ReadFailure, why: string) =>
    pickReading(target, metrics, { at, failure, message: `${target} could not be read: ${why}.` });
  const failure = readFailures.find((each) => each === answer);
  if (failure !== undefined) return failed(failure, failure);
  const exposition = readExposition(answer, { at });
  return isRejection(exposition)
    ? failed('unparsable', exposition.message)
    : pickReading(target, metrics, { at, exposition });
}
