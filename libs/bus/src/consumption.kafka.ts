import type { Clock } from '@tidegate/kernel';
import kafkajs, { type Batch, type Cluster as Connected, type Consumer, type Kafka } from 'kafkajs';
import type { Cluster } from './cluster.kafka.ts';
import { busError } from './errors.ts';
import { kafkaError, within } from './errors.kafka.ts';
import { commitAsOneMember } from './one-membership.kafka.ts';
import { type KafkaBudgets, RETRY } from './options.kafka.ts';

/** What is assigned: partitions by topic, without prefix. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

export interface Commit {
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
  readonly metadata: string;
}

/** Called while kafkajs waits: they return at once. */
export interface Consuming {
  joined(assignment: Assignment): void;
  rebalancing(): void;
  batch(topic: string, batch: Batch): void;
  /** A topic is not there, or was not a moment ago. */
  topicGone(): void;
  /** It begins again by itself; `sinceMs` it has not been able to read. */
  failed(error: Error, sinceMs: number): void;
}

export interface ConsumptionOptions {
  connect(topicGone: () => void): Kafka;
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly budgets: KafkaBudgets;
  readonly groupId: string;
  readonly topics: readonly string[];
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/** kafkajs has it, and does not say so in its types. */
interface Leavable {
  leaveGroup(member: { groupId: string; memberId: string }): Promise<unknown>;
}

/**
 * A kafkajs consumer that is begun again whenever it ends by itself, for ever but not in haste; a broker that is away is
 * no reason for anything else. Records are handed over as they come: nothing is handled while kafkajs waits, so it sends
 * heartbeats however long a handler takes, and nothing that a handler throws can reach it.
 */
export class Consumption {
  /** Counts how often the group was joined: what was to be committed before is old after. */
  membership = 0;
  readonly #options: ConsumptionOptions;
  readonly #consuming: Consuming;
  #consumer: Consumer | undefined;
  #isStopped = false;
  #memberId: string | undefined;
  #failures = 0;
  #downSince: number | undefined;
  #lastSign = 0;
  /** When the present consumer got an answer to a fetch, be there records or none. */
  #lastFetch: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConsumptionOptions, consuming: Consuming) {
    this.#options = options;
    this.#consuming = consuming;
  }

  get isReading(): boolean {
    const { fetch, connect } = this.#options.budgets;
    if (this.#lastFetch === undefined) return false;
    return this.#options.clock.now() - this.#lastFetch <= fetch + connect;
  }

  start(): void {
    void this.#begin();
  }

  /** Thrown BUS_UNREACHABLE: also while the group is being divided anew. */
  async commit(commits: readonly Commit[]): Promise<void> {
    const { cluster, budgets, groupId } = this.#options;
    if (commits.length === 0) return;
    const consumer = this.#consumer;
    if (!consumer) throw busError('BUS_UNREACHABLE', `${groupId} is not in its group.`);
    await within(
      budgets.ask,
      `committing for ${groupId}`,
      consumer.commitOffsets(
        commits.map(({ topic, partition, next, metadata }) => ({
          topic: cluster.nameOf(topic),
          partition,
          offset: String(next),
          metadata,
        })),
      ),
    );
  }

  pause(topic: string, partition: number): void {
    this.#consumer?.pause([{ topic: this.#nameOf(topic), partitions: [partition] }]);
  }

  resume(topic: string, partition: number): void {
    this.#consumer?.resume([{ topic: this.#nameOf(topic), partitions: [partition] }]);
  }

  seek(topic: string, partition: number, next: number): void {
    this.#consumer?.seek({ topic: this.#nameOf(topic), partition, offset: String(next) });
  }

  /** Leaves the group. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#lastFetch = undefined;
    clearTimeout(this.#timer);
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (consumer) await this.#drop(consumer);
  }

  async #begin(): Promise<void> {
    const { connect, cluster, budgets, groupId, topics } = this.#options;
    const kafka = connect(() => {
      if (consumer === this.#consumer) this.#consuming.topicGone();
    });
    let connected: Connected | undefined;
    const consumer = kafka.consumer({
      groupId,
      partitionAssigners: [
        (config) => {
          connected = config.cluster;
          commitAsOneMember(connected);
          return kafkajs.PartitionAssigners.roundRobin(config);
        },
      ],
      sessionTimeout: budgets.session,
      heartbeatInterval: budgets.heartbeat,
      rebalanceTimeout: budgets.rebalance,
      maxWaitTimeInMs: budgets.fetch,
      allowAutoTopicCreation: false,
      // Beginning again is ours: kafkajs does it without end in some cases, and not at all in others.
      retry: { ...RETRY, restartOnFailure: async () => false },
    });
    this.#consumer = consumer;
    this.#lastSign = this.#options.clock.now();
    this.#listen(consumer);
    this.#watch(consumer);
    try {
      await cluster.ensure(topics);
      await consumer.connect();
      if (connected) await this.#takeLeave(connected);
      await consumer.subscribe({
        topics: topics.map((topic) => this.#nameOf(topic)),
        fromBeginning: true,
      });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch, isStale }) => {
          if (consumer === this.#consumer && !isStale()) this.#take(consumer, batch);
        },
      });
    } catch (error) {
      this.#again(consumer, error);
    }
  }

  #listen(consumer: Consumer): void {
    const { GROUP_JOIN, REBALANCING, CRASH, FETCH_START, FETCH } = consumer.events;
    const isCurrent = () => consumer === this.#consumer;
    consumer.on(FETCH_START, () => {
      this.#lastSign = this.#options.clock.now();
    });
    consumer.on(FETCH, () => {
      if (isCurrent()) this.#lastFetch = this.#options.clock.now();
    });
    consumer.on(REBALANCING, () => {
      if (isCurrent()) this.#consuming.rebalancing();
    });
    consumer.on(CRASH, ({ payload }) => {
      this.#again(consumer, payload.error);
    });
    consumer.on(GROUP_JOIN, ({ payload }) => {
      if (!isCurrent()) return;
      this.#failures = 0;
      this.membership += 1;
      this.#memberId = payload.memberId;
      this.#downSince = undefined;
      const { cluster } = this.#options;
      const assigned = Object.entries(payload.memberAssignment);
      this.#consuming.joined(
        new Map(assigned.map(([name, partitions]) => [cluster.topicOf(name), partitions])),
      );
    });
  }

  /** Nothing of ours may fail inside of kafkajs: it would stop for good, in silence. */
  #take(consumer: Consumer, batch: Batch): void {
    try {
      this.#consuming.batch(this.#options.cluster.topicOf(batch.topic), batch);
    } catch (error) {
      this.#again(consumer, error);
    }
  }

  /** A consumer that neither fetches nor fails is given up as well. */
  #watch(consumer: Consumer): void {
    const { session, request, rebalance, fetch } = this.#options.budgets;
    const longest = 2 * Math.max(session, request, rebalance) + fetch;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (consumer !== this.#consumer) return;
      if (this.#options.clock.now() - this.#lastSign > longest)
        this.#again(consumer, new Error(`It has not fetched for more than ${longest} ms.`));
      else this.#watch(consumer);
    }, session);
    this.#timer.unref();
  }

  #again(consumer: Consumer, error: unknown): void {
    if (this.#isStopped || consumer !== this.#consumer) return;
    const { cluster, groupId, topics } = this.#options;
    this.#consumer = undefined;
    this.#lastFetch = undefined;
    this.#failures += 1;
    this.#downSince ??= this.#lastSign;
    cluster.forget(topics);
    const failure = kafkaError(error, `${groupId} cannot read`);
    this.#consuming.failed(failure, this.#options.clock.now() - this.#downSince);
    void this.#drop(consumer);
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#begin(), pause);
    this.#timer.unref();
  }

  /** For the member that could not: else the others, and this one, wait until its session ends. */
  async #takeLeave(connected: Connected): Promise<void> {
    const { groupId } = this.#options;
    const memberId = this.#memberId;
    if (memberId === undefined) return;
    this.#memberId = undefined;
    const coordinator = (await connected.findGroupCoordinator({ groupId })) as unknown as Leavable;
    await coordinator.leaveGroup({ groupId, memberId }).catch(() => undefined); // it had left
  }

  /** If it cannot take leave, the broker notices by the session's end. */
  async #drop(consumer: Consumer): Promise<void> {
    const { close } = this.#options.budgets;
    await within(close, 'leaving the group', consumer.disconnect()).catch(() => undefined);
  }

  #nameOf(topic: string): string {
    return this.#options.cluster.nameOf(topic);
  }
}
