import kafkajs, { type Admin, type ITopicConfig, type Kafka } from 'kafkajs';
import { type Bounds } from './log.port.ts';
import { busError } from './errors.ts';
import { kafkaError, within } from './errors.kafka.ts';
import type { KafkaBudgets } from './options.kafka.ts';
import { type Mark, readMark } from './resume-at.ts';
import { definitionOfTopic } from './topic.ts';
import type { Trouble } from './trouble.ts';
import { differenceOf, settingsOf, type TopicSettings } from './topic-settings.ts';

/** The mark is missing where an operator has set the offset. */
export type Committed = Partial<Mark> & { readonly next: number };

export interface ClusterOptions {
  readonly prefix: string;
  readonly replication: number;
  readonly budgets: KafkaBudgets;
  readonly troubles: Trouble;
  /** A topic was there already, and is not as the catalogue has it. */
  differs(topic: string, difference: string): void;
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
  readonly #compared = new Set<string>();
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

  /** Those with our prefix. */
  async topics(): Promise<readonly string[]> {
    const { prefix } = this.#options;
    const names = await this.#ask('the topics', (admin) => admin.listTopics());
    return names.filter((name) => name.startsWith(prefix)).map((name) => this.topicOf(name));
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
      return await this.#within(what, asked.connected().then(ask));
    } catch (error) {
      // It remembers topics that it was once asked for: one that is gone would make it fail for all the others.
      if (this.#asked === asked) this.#asked = undefined;
      asked.leaveLater();
      throw error;
    }
  }

  #within<T>(what: string, promise: Promise<T>): Promise<T> {
    const { budgets, troubles } = this.#options;
    return within(budgets.ask, what, promise, () => troubles.within(budgets.ask));
  }

  async #make(topics: readonly string[]): Promise<void> {
    const { budgets } = this.#options;
    const asked = new Asked(this.#kafka, budgets);
    const make = async (): Promise<void> => {
      const admin = await asked.connected();
      const existing = new Set(await admin.listTopics());
      const missing = topics.filter((topic) => !existing.has(this.nameOf(topic)));
      const present = topics.filter((topic) => existing.has(this.nameOf(topic)));
      await this.#compare(admin, present);
      for (const topic of missing) this.#compared.add(topic);
      if (missing.length === 0) return;
      await admin.createTopics({
        topics: missing.map((topic) => this.#configOf(topic)),
        waitForLeaders: true,
        timeout: budgets.ask,
      });
    };
    try {
      await this.#within(`making ${topics.join(', ')}`, make());
    } finally {
      asked.leaveLater();
    }
  }

  #configOf(topic: string): ITopicConfig {
    const { partitions, replication, entries } = this.#settingsOf(topic);
    return {
      topic: this.nameOf(topic),
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries: Object.entries(entries).map(([name, value]) => ({ name, value })),
    };
  }

  #settingsOf(topic: string): TopicSettings {
    const definition = definitionOfTopic(topic);
    if (!definition) throw busError('BUS_TOPIC_UNKNOWN', `There is no topic ${topic}.`);
    return settingsOf(definition, this.#options.replication);
  }

  /** Told once of each topic. What cannot be compared is told as well: it keeps nobody from working. */
  async #compare(admin: Admin, topics: readonly string[]): Promise<void> {
    const { differs } = this.#options;
    const fresh = topics.filter((topic) => !this.#compared.has(topic));
    if (fresh.length === 0) return;
    for (const topic of fresh) this.#compared.add(topic);
    try {
      for (const [topic, found] of await settingsIn(admin, fresh, (topic) => this.nameOf(topic))) {
        const difference = differenceOf(found, this.#settingsOf(topic));
        if (difference !== undefined) differs(topic, difference);
      }
    } catch (error) {
      const why = kafkaError(error, 'its settings cannot be read').message;
      for (const topic of fresh) differs(topic, why);
    }
  }
}

async function settingsIn(
  admin: Admin,
  topics: readonly string[],
  nameOf: (topic: string) => string,
): Promise<readonly (readonly [string, TopicSettings])[]> {
  const names = topics.map(nameOf);
  const { topics: metadata } = await admin.fetchTopicMetadata({ topics: names });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  return topics.map((topic) => {
    const { partitions = [] } = metadata.find(({ name }) => name === nameOf(topic)) ?? {};
    const { configEntries = [] } =
      resources.find(({ resourceName }) => resourceName === nameOf(topic)) ?? {};
    const settings = {
      partitions: partitions.length,
      replication: partitions[0]?.replicas.length ?? 0,
      entries: Object.fromEntries(
        configEntries.map(({ configName, configValue }) => [configName, configValue]),
      ),
    };
    return [topic, settings] as const;
  });
}
