import type { Clock, Ids, Random } from '@tidegate/kernel';
import { readFileSync } from 'node:fs';
import kafkajs, { type Kafka, type KafkaConfig } from 'kafkajs';
import type { DeliveryPolicy } from './delivery-policy.ts';
import { busError } from './errors.ts';
import type { KafkaAddress } from './kafka-url.ts';
import type { Timer } from './timer.port.ts';

/** In ms. */
export interface KafkaBudgets {
  /** Longest time until `publish` resolves or rejects. */
  readonly publish: number;
  /** Longest time of a question to the brokers. */
  readonly ask: number;
  /** So long a subscription waits for its place in the group before it goes on without it. */
  readonly join: number;
  /** Longest time of each step of closing, besides the handlers. */
  readonly close: number;
  /** Without a sign of life for so long, a member loses its partitions. */
  readonly session: number;
  readonly heartbeat: number;
  readonly rebalance: number;
  /** Longest wait of a fetch for new records. */
  readonly fetch: number;
  readonly commitEvery: number;
  /** Who could not read or commit for so long reports it. */
  readonly outage: number;
  readonly request: number;
  readonly connect: number;
}

export const defaultBudgets: KafkaBudgets = {
  publish: 8_000,
  ask: 5_000,
  join: 10_000,
  close: 5_000,
  session: 10_000,
  heartbeat: 3_000,
  rebalance: 60_000,
  fetch: 500,
  commitEvery: 500,
  outage: 30_000,
  request: 10_000,
  connect: 3_000,
};

export interface KafkaBusOptions extends KafkaAddress {
  readonly clientId: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Of the messages that the bus itself makes: dead letters and refusals. */
  readonly source: string;
  /** Of topics and groups. Default `tidegate.` */
  readonly prefix?: string;
  readonly random: Random;
  readonly timer?: Timer;
  readonly policy?: Partial<DeliveryPolicy>;
  readonly budgets?: Partial<KafkaBudgets>;
}

/** Bounded, so that what kafkajs does by itself ends within the budgets; whoever calls goes on from there. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 6 } as const;

/** What a server answers that does not have a topic. */
const GONE = 'This server does not host this topic-partition';

/** What kafkajs tells nobody but its log. */
export interface Overheard {
  /** A server says that it has no such topic, or not yet. */
  topicGone?(): void;
  /** A connection failed, was refused, or answered with an error; tried again, mostly. */
  trouble(why: string): void;
}

/**
 * kafkajs is silent: it writes ERROR for what it then retries. What it gives up reaches us as an error, and is reported.
 * Thrown BUS_FAILED when the file with the authorities cannot be read.
 */
export function kafkaOf(
  { brokers, clientId, sasl, tls }: KafkaAddress & { readonly clientId: string },
  { connect, request }: KafkaBudgets,
  overheard: Overheard,
): Kafka {
  keepNegativeTimersQuiet();
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: connect,
    authenticationTimeout: connect,
    requestTimeout: request,
    retry: RETRY,
    logLevel: kafkajs.logLevel.ERROR,
    logCreator:
      () =>
      ({ namespace, log: { message, error } }) => {
        if (error === GONE) overheard.topicGone?.();
        else if (namespace === 'Connection') overheard.trouble(String(error ?? message));
      },
    ...(sasl ? { sasl: sasl as NonNullable<KafkaConfig['sasl']> } : {}),
    ...(tls ? { ssl: tls.caFile === undefined ? true : { ca: [authorities(tls.caFile)] } } : {}),
  });
}

function authorities(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw busError('BUS_FAILED', `The certificates in ${file} cannot be read.`, { cause });
  }
}

let isQuiet = false;

/** kafkajs computes negative timers, of which Node warns once. Only those of kafkajs are kept from the terminal. */
function keepNegativeTimersQuiet(): void {
  if (isQuiet) return;
  isQuiet = true;
  const emitWarning = process.emitWarning.bind(process) as (...all: unknown[]) => void;
  process.emitWarning = (...all: unknown[]): void => {
    const isTheirs =
      all[1] === 'TimeoutNegativeWarning' && new Error().stack?.includes('kafkajs') === true;
    if (!isTheirs) emitWarning(...all);
  };
}
