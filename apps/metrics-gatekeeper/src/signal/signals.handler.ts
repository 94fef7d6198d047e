import type { SignalReported } from '@tidegate/contracts';
import { type Clock, reject, type Rejection } from '@tidegate/kernel';
import type { Documents, Execute } from '@tidegate/store';
import { type CountSignal, refusalOf, type Signal, signalDecider } from './signal.ts';
import { signalId } from './signals.ts';

export interface Signals {
  readonly documents: Documents<Signal>;
  /** Counts it, once; whoever is judged by it is then looked at. Resolves with why it was not counted, if so. */
  count(message: SignalReported): Promise<Rejection | undefined>;
  /** Why it would not be counted now; undefined if it would. */
  refusalOf(data: SignalReported['data']): Promise<Rejection | undefined>;
}

/** Of one environment. */
const MOST_SIGNALS = 200;

export function createSignals(deps: {
  execute: Execute;
  documents: Documents<Signal>;
  clock: Clock;
  /** Checks of this environment's rollouts are due now; safe to repeat. */
  hasten: (environment: string) => Promise<void>;
}): Signals {
  const { documents, clock } = deps;
  const hasten = oneForMany(deps.hasten);
  const aggregate = { documents, decider: signalDecider };
  const refused = async (data: SignalReported['data']): Promise<Rejection | undefined> => {
    const known = await documents.load(signalId(data.environment, data.signal));
    const refusal = refusalOf(data, known?.state ?? signalDecider.initial, clock.now());
    return refusal ?? (known ? undefined : tooMany(documents, data));
  };
  return {
    documents,
    refusalOf: refused,
    async count(message) {
      const { environment, signal } = message.data;
      // A document that is refused its first count would be one that nobody asks for.
      const refusal = await refused(message.data);
      if (refusal) return refusal;
      const { id, source, actor, correlationId } = message.metadata;
      const metadata = { id, source, actor, correlationId, at: clock.now() };
      const command: CountSignal = { type: 'CountSignal', data: message, metadata };
      const { answer } = await deps.execute(aggregate, signalId(environment, signal), command);
      if (answer.outcome === 'refused') return reject(answer.code, answer.message);
      // Also after a repeat: the first time may have ended before this.
      await hasten(environment);
      return undefined;
    },
  };
}

async function tooMany(
  documents: Documents<Signal>,
  { environment, signal }: SignalReported['data'],
): Promise<Rejection | undefined> {
  const known = await documents.list({ where: { environment }, limit: MOST_SIGNALS });
  if (known.length < MOST_SIGNALS) return undefined;
  return reject(
    'SIGNAL_NAMES_TOO_MANY',
    `signal: ${MOST_SIGNALS} different signals are counted in ${environment} already, and ${signal} would be one more. What is different each time belongs into the message.`,
  );
}

/** Of calls that come while one is under way, one more does for all: a thousand complaints are not a thousand checks. */
function oneForMany(work: (name: string) => Promise<void>): (name: string) => Promise<void> {
  const underWay = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();
  const run = (name: string): Promise<void> => {
    const now = work(name).finally(() => underWay.delete(name));
    underWay.set(name, now);
    return now;
  };
  return (name) => {
    const now = underWay.get(name);
    if (!now) return run(name);
    const again =
      next.get(name) ??
      now
        .catch(() => undefined) // told to whoever waits for it
        .then(() => {
          next.delete(name);
          return run(name);
        });
    next.set(name, again);
    return again;
  };
}
