import { isAppError } from '@tidegate/kernel';
import {
  type MetricsSource,
  type Reading,
  type ReadRequest,
  type Sample,
  seriesKey,
  signalsEnvironment,
} from '@tidegate/metrics-source';
import type { Documents } from '@tidegate/store';
import { INTAKE, type Intake } from './intake.ts';
import { type Signal, totalAt } from './signal.ts';
import { signalId } from './signals.ts';

/**
 * Signals read as counters: the target is `signalsTarget(environment)`, a metric is a signal's name, its series are the
 * labels it was reported with. What was never reported is declared and has no series. Read at an instant of the last
 * ten minutes, it gives what had been reported by then. While signals wait to be counted it says that they lack.
 */
export const signalSource = (kept: KeptSignals): MetricsSource => ({
  async read(requests, at) {
    const wanted = Map.groupBy(requests, ({ target }) => target);
    return Promise.all([...wanted].map(([target, asked]) => readOne(kept, target, asked, at)));
  },
});

interface KeptSignals {
  readonly documents: Pick<Documents<Signal>, 'load'>;
  readonly intake: Pick<Documents<Intake>, 'load'>;
}

/** Asks for signals where they are kept, and for everything else where it was asked for before. */
export const withSignals = (others: MetricsSource, signals: MetricsSource): MetricsSource => ({
  async read(requests, at) {
    const isSignal = ({ target }: ReadRequest) => signalsEnvironment(target) !== undefined;
    const [ours, theirs] = [requests.filter(isSignal), requests.filter((each) => !isSignal(each))];
    if (ours.length === 0) return others.read(theirs, at);
    const readings = (
      await Promise.all([signals.read(ours, at), theirs.length > 0 ? others.read(theirs, at) : []])
    ).flat();
    const targets = [...new Set(requests.map(({ target }) => target))];
    return readings.toSorted((a, b) => targets.indexOf(a.target) - targets.indexOf(b.target));
  },
});

async function readOne(
  { documents, intake }: KeptSignals,
  target: string,
  asked: readonly ReadRequest[],
  at: number,
): Promise<Reading> {
  const environment = signalsEnvironment(target);
  if (environment === undefined) throw new TypeError(`${target} names no environment's signals.`);
  const declared = [...new Set(asked.flatMap(({ metrics }) => metrics))];
  try {
    const [waiting, ...samples] = await Promise.all([
      intake.load(INTAKE),
      ...declared.map(async (name) => {
        const document = await documents.load(signalId(environment, name));
        return document ? samplesOf(name, document.state, at) : [];
      }),
    ]);
    const isBehind = waiting !== undefined && at < waiting.state.behindUntil;
    return {
      outcome: 'taken',
      target,
      at,
      samples: samples.flat(),
      declared,
      ...(isBehind ? { lacks: waiting.state.message } : {}),
    };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const message = `${target} could not be read: ${error.message}`;
    const failure = error.code === 'STORE_UNREACHABLE' ? 'unreachable' : 'query-failed';
    return { outcome: 'failed', target, at, failure, message };
  }
}

/** Labels that had not been reported by then are no series yet. */
const samplesOf = (name: string, { sets }: Signal, at: number): Sample[] =>
  Object.values(sets).flatMap((set) => {
    const { labels } = set;
    const value = totalAt(set, at);
    return value > 0 ? [{ name, labels, series: seriesKey(name, labels), value, at }] : [];
  });
