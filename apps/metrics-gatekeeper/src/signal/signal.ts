import type { DraftOf, SignalCounted, SignalReported } from '@tidegate/contracts';
import {
  type Command,
  type Decider,
  type Decision,
  type Fact,
  reject,
  type Rejection,
} from '@tidegate/kernel';
import { seriesKey } from '@tidegate/metrics-source';

/** How often one signal was reported in one environment, by labels: plain JSON of bounded size. */
export interface Signal {
  /** Undefined until something has been counted. */
  readonly environment?: string | undefined;
  /** By series key. */
  readonly sets: Readonly<Record<string, LabelSet>>;
}

export interface LabelSet {
  readonly labels: Readonly<Record<string, string>>;
  /** All that was ever counted. */
  readonly total: number;
  /** When it was reported last. */
  readonly lastAt: number;
  /** What was reported lately, so that the count of a moment ago can be told. */
  readonly recent: readonly (readonly [reportedAt: number, count: number])[];
}

export const MOST_LABEL_SETS = 100;
const MOST_LABELS = 10;
const MOST_CHARACTERS = 500;
const MOST_RECENT = 64;
const RECENT_MS = 600_000;
/** Labels that were not reported for so long give way to others. */
const FORGOTTEN_MS = 30 * 86_400_000;

/** A message that was reported, on its way to its document. `metadata.at`: when that is. */
export interface CountSignal extends Command {
  readonly type: 'CountSignal';
  readonly data: SignalReported;
}

type Counted = DraftOf<typeof SignalCounted>;

export const signalDecider: Decider<Signal, CountSignal, Counted> = {
  initial: { sets: {} },
  decide,
  evolve,
};

function decide({ data: message, metadata }: CountSignal, signal: Signal): Decision<Counted> {
  const { environment, signal: name, labels, count } = message.data;
  const refusal = refusalOf(message.data, signal, metadata.at);
  if (refusal) return refusal;
  if (count === 0) return [];
  const total = (signal.sets[seriesKey(name, labels)]?.total ?? 0) + count;
  if (total > Number.MAX_SAFE_INTEGER)
    return reject('SIGNAL_COUNT_TOO_LARGE', `No more than 2^53 of ${name} can be counted.`);
  // A clock that is ahead must not keep a signal from those who look now.
  const reportedAt = Math.min(message.metadata.at, metadata.at);
  const data = { environment, signal: name, labels, count, total, reportedAt };
  return [{ type: 'SignalCounted', data }];
}

/** Why such a signal is not counted; undefined if it is. */
export function refusalOf(
  { environment, signal: name, labels }: SignalReported['data'],
  signal: Signal,
  at: number,
): Rejection | undefined {
  const pairs = Object.entries(labels);
  const characters = pairs.flat().reduce((sum, text) => sum + text.length, 0);
  if (pairs.length > MOST_LABELS || characters > MOST_CHARACTERS)
    return reject(
      'SIGNAL_LABELS_TOO_LARGE',
      `labels: expected at most ${MOST_LABELS}, with ${MOST_CHARACTERS} characters together, not ${pairs.length} with ${characters}. What happened belongs into the message.`,
    );
  const isKnown = Object.hasOwn(signal.sets, seriesKey(name, labels));
  if (isKnown || Object.keys(remembered(signal.sets, at)).length < MOST_LABEL_SETS)
    return undefined;
  return reject(
    'SIGNAL_LABELS_TOO_MANY',
    `labels: ${name} in ${environment} is counted with ${MOST_LABEL_SETS} different sets of labels already, and ${JSON.stringify(labels)} would be one more. Report it with labels that it was reported with before; what is different each time, such as an order's number, belongs into the message.`,
  );
}

function evolve({ sets }: Signal, { data, metadata }: Fact<Counted>): Signal {
  const { environment, signal: name, labels, count, total, reportedAt } = data;
  const series = seriesKey(name, labels);
  const known = sets[series];
  const room = known || Object.keys(sets).length < MOST_LABEL_SETS;
  const recent = [...(known?.recent ?? []), [reportedAt, count] as const]
    .filter(([at]) => metadata.at - at <= RECENT_MS)
    .slice(-MOST_RECENT);
  const lastAt = Math.max(known?.lastAt ?? 0, reportedAt);
  const others = room ? sets : remembered(sets, metadata.at);
  return { environment, sets: { ...others, [series]: { labels, total, lastAt, recent } } };
}

const remembered = (sets: Signal['sets'], at: number): Signal['sets'] =>
  Object.fromEntries(Object.entries(sets).filter(([, { lastAt }]) => at - lastAt < FORGOTTEN_MS));

/**
 * How many of these labels had been reported by `at`. Exact for the last ten minutes, if there were no more than 64
 * reports since; what was reported since and is not known singly counts as reported before.
 */
export const totalAt = ({ total, recent }: LabelSet, at: number): number =>
  recent.reduce((sum, [reportedAt, count]) => (reportedAt > at ? sum - count : sum), total);
