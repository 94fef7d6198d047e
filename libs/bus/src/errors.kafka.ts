import { AppError, messageOf } from '@tidegate/kernel';
import { busError } from './errors.ts';

/** Protocol errors that say nothing against what was sent: the same may work later, perhaps with another producer. */
const PASSING: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'DUPLICATE_SEQUENCE_NUMBER',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'KAFKA_STORAGE_ERROR',
]);
/** Of kafkajs: what it throws when it has tried long enough, though it calls some of them not retriable. */
const AWAY: ReadonlySet<string> = new Set([
  'KafkaJSNumberOfRetriesExceeded',
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSLockTimeout',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSSASLAuthenticationError',
]);

interface Facts {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly retriable?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/** Names what kafkajs threw; total. What neither it nor we know as passing is not retryable. */
export function kafkaError(error: unknown, what: string): AppError {
  if (error instanceof AppError) return error;
  const chain = causesOf(error);
  const types = new Set(chain.map(({ type }) => type));
  const words = [...new Set(chain.map((each) => messageOf(each)))].join(': ');
  const message = `${what}: ${words === '' ? messageOf(error) : words}`;
  if (types.has('MESSAGE_TOO_LARGE') || types.has('RECORD_LIST_TOO_LARGE'))
    return busError('BUS_MESSAGE_TOO_LARGE', message, { cause: error });
  const isPassing = chain.some(
    ({ name, type, retriable }) =>
      retriable === true || AWAY.has(String(name)) || PASSING.has(String(type)),
  );
  return busError(isPassing ? 'BUS_UNREACHABLE' : 'BUS_FAILED', message, { cause: error });
}

function causesOf(error: unknown): readonly Facts[] {
  const found: Facts[] = [];
  const queue: unknown[] = [error];
  while (queue.length > 0 && found.length < 10) {
    const next = queue.shift();
    if (typeof next !== 'object' || next === null) continue;
    const facts: Facts = next;
    found.push(facts);
    queue.push(facts.cause, ...(Array.isArray(facts.errors) ? (facts.errors as unknown[]) : []));
  }
  return found;
}

/**
 * What is not done by then counts as not done; it may still happen. Thrown BUS_UNREACHABLE.
 * @param why what is known of the reason, to stand behind the sentence
 */
export async function within<T>(
  ms: number,
  what: string,
  promise: Promise<T>,
  why: () => string = () => '',
): Promise<T> {
  let timeout: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => {
      reject(busError('BUS_UNREACHABLE', `${what}: no answer within ${ms} ms${why()}`));
    }, ms);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } catch (error) {
    throw kafkaError(error, what);
  } finally {
    clearTimeout(timeout);
  }
}
