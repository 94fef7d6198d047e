import type { Admin, ITopicConfig, Kafka } from 'kafkajs';
import { type Bounds } from './log.port.ts';
import { MAX_MESSAGE_BYTES } from './bus.port.ts';
import { busError } from './errors.ts';
import { within } from './errors.kafka.ts';
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

/** One connected client, until a question fails. */
class Asked {
  readonly #admin: Admin;
  readonly #budgets: KafkaBudgets;
  readonly #connected: Promise<void>;
  #isLeaving = false;

  constructor(kafka: Kafka, budgets: KafkaBudgets) {
    this.#admin = kafka.admin();
    this.#budgets = budgets;
    this.#connected = this.#admin.connect();
    this.#connected.catch(() => undefined); // whoever asks hears of it
  }

  async connected(): Promise<Admin> {
    await this.#connected;
    return this.#admin;
  }

  /** What it says now concerns nobody. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const leaving = this.#connected.then(() => this.#admin.disconnect());
    await within(this.#budgets.close, 'leaving', leaving).catch(() => undefined);
  }

  /** Others may still wait for answers. */
  leaveLater(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    setTimeout(() => void this.leave(), this.#budgets.ask).unref();
  }
}

/** What is asked of the brokers beside records. Topics are named without prefix. */
export class Cluster {
  readonly #kafka: Kafka;
  readonly #options: ClusterOptions;
  readonly #made = new Map<string, Promise<void>>();
  #asked: Asked | undefined;
  #isClosed = false;

  constructor(kafka: Kafka, options: ClusterOptions) {
    this.#kafka = kafka;
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
    this.#isClosed = true;
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked) await asked.leave();
  }

  async #ask<T>(what: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw busError('BUS_CLOSED', 'The bus is closed.');
    const asked = (this.#asked ??= new Asked(this.#kafka, this.#options.budgets));
    try {
      return await within(this.#options.budgets.ask, what, asked.connected().then(ask));
    } catch (error) {
      // It remembers topics that it was once asked for: one that is gone would make it fail for all the others.
      if (this.#asked === asked) this.#asked = undefined;
      asked.leaveLater();
      throw error;
    }
  }

  async #make(topics: readonly string[]): Promise<void> {
    const { budgets } = this.#options;
    const asked = new Asked(this.#kafka, budgets);
    const make = async (): Promise<void> => {
      const admin = await asked.connected();
      const existing = new Set(await admin.listTopics());
      const missing = topics.filter((topic) => !existing.has(this.nameOf(topic)));
      if (missing.length === 0) return;
      await admin.createTopics({
        topics: missing.map((topic) => this.#configOf(topic)),
        waitForLeaders: true,
        timeout: budgets.ask,
      });
    };
    try {
      await within(budgets.ask, `making ${topics.join(', ')}`, make());
    } finally {
      asked.leaveLater();
    }
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
