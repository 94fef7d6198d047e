import type { Publish } from '@tidegate/contracts';
import type { Clock, Ids, Random } from '@tidegate/kernel';
import type { Kafka } from 'kafkajs';
import { applyRecord } from './apply-record.ts';
import type {
  Bus,
  BusReport,
  DeadLetters,
  PartitionLag,
  RawRecord,
  RawSubscription,
  Running,
  Subscription,
  View,
  ViewSource,
} from './bus.port.ts';
import { Cluster } from './cluster.kafka.ts';
import { messagesOf } from './dead-letter.ts';
import { kafkaDeadLetters } from './dead-letters.kafka.ts';
import { defaultPolicy, type DeliveryPolicy, killPolicy } from './delivery-policy.ts';
import { busError, unlessAway } from './errors.ts';
import type { LoopLog } from './log.port.ts';
import type { Lot } from './lot.kafka.ts';
import { Member, type MemberOptions } from './member.kafka.ts';
import {
  defaultBudgets,
  type KafkaBudgets,
  type KafkaBusOptions,
  kafkaOf,
} from './options.kafka.ts';
import { mustExist, outgoing, unlimited } from './outgoing.otel.ts';
import { oncePerOutage } from './once-per-outage.ts';
import { type Lane, PartitionLoop } from './partition.loop.ts';
import { RawLoop } from './raw.loop.ts';
import type { Surroundings } from './reader.loop.ts';
import { Sender } from './sender.kafka.ts';
import { systemTimer } from './system-timer.ts';
import type { Timer } from './timer.port.ts';
import { KILLS, REPLAYS } from './topic.ts';
import { Trouble } from './trouble.ts';
import { Turnstile } from './turnstile.ts';
import { scanTopics, WholeTopics } from './whole-topics.kafka.ts';

interface Parts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly timer: Timer;
  readonly source: string;
  readonly prefix: string;
  readonly policy: DeliveryPolicy;
  readonly budgets: KafkaBudgets;
}

/**
 * The bus over a Kafka cluster. It opens also while no broker answers, and begins when one does.
 * Thrown BUS_FAILED for options that cannot work.
 */
export async function openKafkaBus(options: KafkaBusOptions): Promise<Bus> {
  return new KafkaBus(options);
}

/** The same, with what only tests may touch. */
export class KafkaBus implements Bus {
  readonly deadLetters: DeadLetters;
  readonly #parts: Parts;
  readonly #connect: (topicGone: () => void) => Kafka;
  readonly #cluster: Cluster;
  readonly #sender: Sender;
  readonly #turnstile = new Turnstile();
  readonly #members = new Map<string, Member>();
  readonly #views = new Set<WholeTopics>();
  readonly #listeners: ((report: BusReport) => void)[] = [];
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(options: KafkaBusOptions) {
    const { prefix = 'tidegate.', replication = 3, clock, ids, source } = options;
    const { random, timer = systemTimer } = options;
    const budgets = { ...defaultBudgets, ...options.budgets };
    const policy = { ...defaultPolicy, ...options.policy };
    this.#parts = { clock, ids, source, prefix, random, timer, policy, budgets };
    const troubles = new Trouble(clock);
    const trouble = (why: string): void => troubles.heard(why);
    this.#connect = (topicGone) => kafkaOf(options, budgets, { topicGone, trouble });
    const kafka = kafkaOf(options, budgets, { trouble });
    this.#cluster = new Cluster(kafka, {
      prefix,
      replication,
      budgets,
      troubles,
      differs: (topic, message) => {
        this.#report({ kind: 'topic-differs', topic, message });
      },
    });
    this.#sender = new Sender(kafka, this.#cluster, budgets, troubles);
    this.deadLetters = kafkaDeadLetters({
      cluster: this.#cluster,
      sender: this.#sender,
      scan: async (topics, apply) => {
        this.#mustBeOpen();
        await scanTopics(this.#reading(topics, apply));
      },
    });
  }

  readonly publish: Publish = async (messages) => {
    const records = messages.map(outgoing);
    if (records.length > 0) await this.#sender.send(records);
  };

  subscribe(subscription: Subscription): Promise<Running> {
    const { group, topics } = subscription;
    return this.#join({ group, topics: [...topics, REPLAYS] }, false, (log, lots, [position]) => {
      if (!position) throw new RangeError('A loop needs a partition.');
      const lane = this.#lane(subscription, log, lots[0] as Lot);
      return new PartitionLoop(lane, subscription, position);
    });
  }

  subscribeRaw(subscription: RawSubscription): Promise<Running> {
    const { group } = subscription;
    return this.#join(subscription, true, (log, _lots, positions) => {
      const lane = { ...this.#around(group, log, this.#parts.policy), report: this.#report };
      return new RawLoop(lane, subscription, positions);
    });
  }

  async view(source: ViewSource): Promise<View> {
    this.#mustBeOpen();
    mustExist(source.topic);
    const apply = ({ record }: RawRecord): void => {
      applyRecord(source, record, this.#report);
    };
    const view = new WholeTopics({
      ...this.#reading([source.topic], apply),
      failed: oncePerOutage(this.#parts.budgets.outage, (message) => {
        this.#laggingOf('the view')(source.topic, message);
      }),
    });
    this.#views.add(view);
    return {
      caughtUp: view.caughtUp,
      get isReading() {
        return view.isReading;
      },
      close: async () => {
        this.#views.delete(view);
        await view.close(busError('BUS_CLOSED', `The view of ${source.topic} was closed.`));
      },
    };
  }

  async lag(): Promise<readonly PartitionLag[]> {
    const members = [...this.#members.values()];
    // Without an answer the lag is as it was last known; `check` says that nobody answers.
    await Promise.allSettled(members.map((member) => member.refresh()));
    return members.flatMap((member) => member.lag());
  }

  onReport(listener: (report: BusReport) => void): void {
    this.#listeners.push(listener);
  }

  async topics(): Promise<readonly string[]> {
    this.#mustBeOpen();
    return this.#cluster.topics();
  }

  async check(): Promise<void> {
    this.#mustBeOpen();
    await this.#cluster.check();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Makes the topics. */
  ensure(topics: readonly string[]): Promise<void> {
    return this.#cluster.ensure(topics);
  }

  /** As if the process died now: what is being handled is not finished, positions not yet committed are lost. */
  async abandon(): Promise<void> {
    this.#isClosed = true;
    this.#closing = Promise.resolve();
    this.#sender.abandon();
    const reason = busError('BUS_CLOSED', 'The bus is closed.');
    await Promise.all([
      ...[...this.#members.values()].map((member) => member.abandon()),
      ...[...this.#views].map((view) => view.close(reason)),
    ]);
    await this.#cluster.close();
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#members.values()].map((member) => member.stop()));
    const reason = busError('BUS_CLOSED', 'The bus is closed.');
    await Promise.all([...this.#views].map((view) => view.close(reason)));
    await this.#sender.close();
    await this.#cluster.close();
  }

  async #join(
    { group, topics, from }: Pick<RawSubscription, 'group' | 'topics' | 'from'>,
    isRaw: boolean,
    start: MemberOptions['start'],
  ): Promise<Running> {
    this.#mustBeOpen();
    for (const topic of topics) mustExist(topic);
    if (this.#members.has(group))
      throw busError(
        'BUS_GROUP_IN_USE',
        `The group ${group} has a member in this process already.`,
      );
    const { prefix, budgets, clock } = this.#parts;
    const member = new Member({
      connect: this.#connect,
      cluster: this.#cluster,
      budgets,
      clock,
      group,
      groupId: prefix + group,
      topics,
      isRaw,
      from,
      start,
      lagging: this.#laggingOf(group),
    });
    this.#members.set(group, member);
    try {
      await this.#cluster.ensure(topics).catch(unlessAway);
      await member.start();
    } catch (error) {
      this.#members.delete(group);
      throw error;
    }
    return {
      stop: async () => {
        await member.stop();
        if (this.#members.get(group) === member) this.#members.delete(group);
      },
    };
  }

  #reading(topics: readonly string[], apply: (raw: RawRecord) => void) {
    const { prefix, budgets, ids, clock } = this.#parts;
    const groupId = `${prefix}view.${ids.next()}`;
    return {
      connect: this.#connect,
      cluster: this.#cluster,
      budgets,
      clock,
      groupId,
      topics,
      apply,
    };
  }

  #lane({ group, topics }: Subscription, log: LoopLog, lot: Lot): Lane {
    const isUrgent = topics.includes(KILLS);
    const { policy, source } = this.#parts;
    return {
      ...this.#around(group, log, isUrgent ? killPolicy(policy) : policy),
      turnstile: this.#turnstile,
      isUrgent,
      carefulBelow: lot.carefulBelow,
      report: this.#report,
      giveUp: async (letter, decoded) => {
        // A part of it may be written before it fails: what is written again has the same ids.
        const id = `${letter.id}:refused`;
        const messages = messagesOf(letter, decoded, lot.topic, { id, source });
        await this.#sender.send(messages.map(unlimited));
      },
    };
  }

  #around(group: string, log: LoopLog, policy: DeliveryPolicy): Surroundings {
    const { clock, timer, random } = this.#parts;
    return { log, clock, timer, random, policy, lagging: this.#laggingOf(group) };
  }

  #laggingOf(group: string): (topic: string, message: string) => void {
    return (topic, message) => {
      this.#report({ kind: 'lagging', group, topic, message: `${group} on ${topic} ${message}` });
    };
  }

  readonly #report = (report: BusReport): void => {
    for (const listener of this.#listeners) listener(report);
  };

  #mustBeOpen(): void {
    if (this.#isClosed) throw busError('BUS_CLOSED', 'The bus is closed.');
  }
}
