import type { Admin, ITopicConfig, Kafka } from 'kafkajs';
import { type Bounds } from './log.port.ts';
import { MAX_MESSAGE_BYTES } from './bus.port.ts';
import { busError } from './errors.ts';
import { kafkaError, within } from './errors.kafka.ts';
import type { KafkaBudgets } from './options.kafka.ts';
import { type Mark, readMark } from './resume-at.ts';
import { definitionOfTopic } from './topic.ts';

/** The mark is missing where an operator has set the offset. */
export type Committed = Partial<Mark> & { readonly next: number };

/** A letter carries a whole message in base64, and a batch has a header of its own. */
const MAX_BATCH_BYTES = Math.ceil((MAX_MESSAGE_BYTES * 4) / 3) + 65_536;

export interface ClusterOptions {
  readonly prefix: string;
  readonly replication: number;
  readonly budgets: KafkaBudgets;
}

/** What is asked of the brokers beside records. Topics are named without prefix. */
export class Cluster {
  readonly #admin: Admin;
  readonly #options: ClusterOptions;
  readonly #made = new Map<string, Promise<void>>();
  #connected: Promise<void> | undefined;

  constructor(kafka: Kafka, options: ClusterOptions) {
    this.#admin = kafka.admin();
    this.#options = options;
  }

  nameOf(topic: string): string {
    return this.#options.prefix + topic;
  }

  topicOf(name: string): string {
    return name.slice(this.#options.prefix.length);
  }

  /**
   * Makes those topics that are not there, as the catalogue has them. Thrown BUS_UNREACHABLE, BUS_TOPIC_UNKNOWN, and
   * BUS_FAILED when the cluster refuses: too few brokers for the replication, for example.
   */
  async ensure(topics: readonly string[]): Promise<void> {
    const missing = topics.filter((topic) => !this.#made.has(topic));
    if (missing.length > 0) {
      const making = this.#make(missing);
      for (const topic of missing) this.#made.set(topic, making);
      making.catch(() => {
        this.forget(missing);
      });
    }
    await Promise.all(topics.map(async (topic) => this.#made.get(topic)));
  }

  /** They are looked for again when they are next needed: somebody may have deleted them. */
  forget(topics: readonly string[]): void {
    for (const topic of topics) this.#made.delete(topic);
  }

  /** By partition. */
  async bounds(topic: string): Promise<readonly Bounds[]> {
    const found = await this.#ask(`offsets of ${topic}`, (admin) =>
      admin.fetchTopicOffsets(this.nameOf(topic)),
    );
    const bounds: Bounds[] = [];
    for (const { partition, low, high } of found)
      bounds[partition] = { start: Number(low), end: Number(high) };
    return bounds;
  }

  /** By topic and partition; undefined where the group has committed nothing. */
  async committed(
    groupId: string,
    topics: readonly string[],
  ): Promise<ReadonlyMap<string, readonly (Committed | undefined)[]>> {
    const found = await this.#ask(`positions of ${groupId}`, (admin) =>
      admin.fetchOffsets({ groupId, topics: topics.map((topic) => this.nameOf(topic)) }),
    );
    return new Map(
      found.map(({ topic, partitions }) => {
        const committed: (Committed | undefined)[] = [];
        for (const { partition, offset, metadata } of partitions)
          if (Number(offset) >= 0)
            committed[partition] = { next: Number(offset), ...readMark(metadata) };
        return [this.topicOf(topic), committed];
      }),
    );
  }

  async check(): Promise<void> {
    await this.#ask('the brokers', (admin) => admin.describeCluster());
  }

  async close(): Promise<void> {
    if (this.#connected)
      await within(this.#options.budgets.close, 'closing', this.#admin.disconnect());
  }

  async #ask<T>(what: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
    const asked = async () => {
      this.#connected ??= this.#admin.connect();
      try {
        await this.#connected;
      } catch (error) {
        this.#connected = undefined;
        throw error;
      }
      return ask(this.#admin);
    };
    return within(this.#options.budgets.ask, what, asked());
  }

  async #make(topics: readonly string[]): Promise<void> {
    const existing = new Set(await this.#ask('list of topics', (admin) => admin.listTopics()));
    const missing = topics.filter((topic) => !existing.has(this.nameOf(topic)));
    if (missing.length === 0) return;
    await this.#ask(`making ${missing.join(', ')}`, async (admin) => {
      try {
        await admin.createTopics({
          topics: missing.map((topic) => this.#configOf(topic)),
          waitForLeaders: true,
          timeout: this.#options.budgets.ask,
        });
      } catch (error) {
        throw kafkaError(error, 'The cluster refuses the topics');
      }
    });
  }

  #configOf(topic: string): ITopicConfig {
    const definition = definitionOfTopic(topic);
    if (!definition) throw busError('BUS_TOPIC_UNKNOWN', `There is no topic ${topic}.`);
    const { replication } = this.#options;
    const { partitions, cleanup, retentionMs } = definition;
    const settings = {
      'cleanup.policy': cleanup,
      ...(cleanup === 'delete' ? { 'retention.ms': String(retentionMs ?? -1) } : {}),
      'min.insync.replicas': String(Math.max(1, Math.min(2, replication - 1))),
      'max.message.bytes': String(MAX_BATCH_BYTES),
      // The age of a record, and so the lag, does not depend on its writer's clock.
      'message.timestamp.type': 'LogAppendTime',
      // Whatever other programs compress with, of which kafkajs reads gzip only.
      'compression.type': 'uncompressed',
    };
    return {
      topic: this.nameOf(topic),
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
    };
  }
}
