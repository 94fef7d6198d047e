import type { AppError } from '@tidegate/kernel';
import { type Kafka, type Message, type Producer } from 'kafkajs';
import type { Cluster } from './cluster.kafka.ts';
import { busError } from './errors.ts';
import { kafkaError, within } from './errors.kafka.ts';
import { type KafkaBudgets, RETRY } from './options.kafka.ts';
import type { Outgoing } from './outgoing.otel.ts';
import { partitionOf } from './partition-of.ts';
import { sizeOf } from './size-of.ts';
import type { Trouble } from './trouble.ts';

/** Of one request: under the smallest limit that a record of our own may have. */
const BATCH_BYTES = 1_000_000;
const BATCH_RECORDS = 1_000;
const PAUSE_MS = 200;

/** One call of `publish`, as far as it concerns one topic. */
interface Call {
  left: number;
  isOver: boolean;
  resolve(): void;
  reject(error: AppError): void;
}

interface Open {
  readonly producer: Producer;
  readonly ready: Promise<void>;
}

interface Piece {
  readonly call: Call;
  readonly message: Message;
  readonly bytes: number;
}

/**
 * Sends records in the order given, one lane for each topic: a batch is on its way while the next one gathers. What a
 * call could not send in time it rejects, and never sends later, but for the batch that was on its way just then.
 */
export class Sender {
  readonly #kafka: Kafka;
  readonly #cluster: Cluster;
  readonly #budgets: KafkaBudgets;
  readonly #troubles: Trouble;
  readonly #lanes = new Map<string, Piece[]>();
  readonly #running = new Set<Promise<void>>();
  #producer: Open | undefined;
  #isClosed = false;

  constructor(kafka: Kafka, cluster: Cluster, budgets: KafkaBudgets, troubles: Trouble) {
    this.#kafka = kafka;
    this.#cluster = cluster;
    this.#budgets = budgets;
    this.#troubles = troubles;
  }

  /** Thrown BUS_UNREACHABLE within the budget, BUS_CLOSED, BUS_FAILED. */
  async send(records: readonly Outgoing[]): Promise<void> {
    if (this.#isClosed) throw busError('BUS_CLOSED', 'The bus is closed.');
    const calls = [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, own]) =>
      this.#call(topic, own),
    );
    const failed = (await Promise.allSettled(calls)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Sends what was accepted. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#running);
    const open = this.#producer;
    if (open) await within(this.#budgets.close, 'closing', open.producer.disconnect());
  }

  /** As if the process died now. */
  abandon(): void {
    this.#isClosed = true;
    this.#renew(this.#producer);
  }

  #call(topic: string, records: readonly Outgoing[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const ms = this.#budgets.publish;
      const timeout = setTimeout(() => {
        const why = this.#troubles.within(ms);
        call.reject(busError('BUS_UNREACHABLE', `${topic} took no records within ${ms} ms${why}`));
      }, ms);
      const end = (): void => {
        call.isOver = true;
        clearTimeout(timeout);
      };
      const call: Call = {
        left: records.length,
        isOver: false,
        resolve: () => {
          end();
          resolve();
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      this.#enqueue(
        topic,
        records.map(({ record }) => ({ call, bytes: sizeOf(record), message: messageOf(record) })),
      );
    });
  }

  #enqueue(topic: string, pieces: readonly Piece[]): void {
    const lane = this.#lanes.get(topic);
    if (lane) {
      for (const piece of pieces) lane.push(piece);
      return;
    }
    const queue = [...pieces];
    this.#lanes.set(topic, queue);
    const running = this.#run(topic, queue).finally(() => {
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async #run(topic: string, queue: Piece[]): Promise<void> {
    for (;;) {
      const batch = take(queue);
      if (batch.length === 0) break;
      const error = await this.#trySend(topic, batch);
      if (error === undefined) settle(batch);
      else if (error.code === 'BUS_UNREACHABLE' && !this.#isOver(batch)) {
        queue.unshift(...batch);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      } else for (const { call } of batch) call.reject(error);
    }
    this.#lanes.delete(topic);
  }

  #isOver(batch: readonly Piece[]): boolean {
    return batch.every(({ call }) => call.isOver);
  }

  async #trySend(topic: string, batch: readonly Piece[]): Promise<AppError | undefined> {
    let open: Open | undefined;
    try {
      await this.#cluster.ensure([topic]);
      open = this.#open();
      await open.ready;
      await open.producer.send({
        topic: this.#cluster.nameOf(topic),
        acks: -1,
        timeout: this.#budgets.request,
        messages: batch.map(({ message }) => message),
      });
      return undefined;
    } catch (error) {
      this.#cluster.forget([topic]);
      this.#renew(open);
      return kafkaError(error, `Publishing to ${topic}`);
    }
  }

  #open(): Open {
    if (this.#producer) return this.#producer;
    const producer = this.#kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      retry: RETRY,
      // As Java's clients have it, and the embedded bus: a key's records are in one partition, whoever writes them.
      createPartitioner:
        () =>
        ({ partitionMetadata, message: { key } }) =>
          partitionOf(
            key === null || key === undefined ? null : String(key),
            partitionMetadata.length,
          ),
    });
    this.#producer = { producer, ready: producer.connect() };
    return this.#producer;
  }

  /** Sequence numbers of a batch that failed may be used up or not: the next one needs a producer with new ones. */
  #renew(failed: Open | undefined): void {
    if (!failed || this.#producer !== failed) return;
    this.#producer = undefined;
    failed.ready.then(() => failed.producer.disconnect()).catch(() => undefined); // it is done with, either way
  }
}

function take(queue: Piece[]): Piece[] {
  let count = 0;
  let bytes = 0;
  const batch: Piece[] = [];
  for (; count < queue.length && batch.length < BATCH_RECORDS; count += 1) {
    const piece = queue[count];
    if (!piece || piece.call.isOver) continue;
    if (batch.length > 0 && bytes + piece.bytes > BATCH_BYTES) break;
    bytes += piece.bytes;
    batch.push(piece);
  }
  queue.splice(0, count);
  return batch;
}

function settle(batch: readonly Piece[]): void {
  for (const { call } of batch) {
    call.left -= 1;
    if (call.left === 0) call.resolve();
  }
}

const messageOf = ({ key, headers, value }: Outgoing['record']): Message => ({
  key,
  headers: { ...headers },
  value: value && Buffer.from(value.buffer, value.byteOffset, value.byteLength),
});
