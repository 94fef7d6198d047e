import type { SignalReported } from '@tidegate/contracts';
import { type Clock, isAppError, reject, type Rejection } from '@tidegate/kernel';
import type { Documents, Execute } from '@tidegate/store';
import { BEHIND_MS, INTAKE, type Intake } from './intake.ts';
import { type CountSignal, refusalOf, type Signal, signalDecider } from './signal.ts';
import { signalId } from './signals.ts';

export interface Signals {
  readonly documents: Documents<Signal>;
  readonly intake: Documents<Intake>;
  /** Counts it, once; whoever is judged by it is then looked at. Resolves with why it was not counted, if so. */
  count(message: SignalReported): Promise<Rejection | undefined>;
  /** Why it would not be counted now; undefined if it would. */
  refusalOf(data: SignalReported['data']): Promise<Rejection | undefined>;
  /** Says to all replicas that signals wait to be counted: for a while, silence is no good news. */
  behind(message: string): Promise<void>;
}

/** Of one environment. */
const MOST_SIGNALS = 200;

export function createSignals(deps: {
  execute: Execute;
  documents: Documents<Signal>;
  intake: Documents<Intake>;
  clock: Clock;
  /** Checks of this environment's rollouts are due now; safe to repeat. */
  hasten: (environment: string) => Promise<void>;
}): Signals {
  const { documents, intake, clock } = deps;
  const hasten = oneForMany(deps.hasten);
  const aggregate = { documents, decider: signalDecider };
  const refused = async (data: SignalReported['data']): Promise<Rejection | undefined> => {
    const known = await documents.load(signalId(data.environment, data.signal));
    const refusal = refusalOf(data, known?.state ?? signalDecider.initial, clock.now());
    return refusal ?? (known ? undefined : tooMany(documents, data));
  };
  return {
    documents,
    intake,
    refusalOf: refused,
    behind: (message) => sayBehind(intake, { behindUntil: clock.now() + BEHIND_MS, message }),
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

async function sayBehind(intake: Documents<Intake>, state: Intake): Promise<void> {
  const known = await intake.load(INTAKE);
  try {
    const change = { state, version: (known?.version ?? 0) + 1, outbox: [] };
    await intake.save(INTAKE, change, known?.token ?? 0);
  } catch (error) {
    // Another replica has said so just now.
    if (!isAppError(error, 'STORE_VERSION_CONFLICT')) throw error;
  }
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
