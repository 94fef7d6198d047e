import type { Publish } from '@tidegate/contracts';
import type { Clock, Ids, Random } from '@tidegate/kernel';
import type {
  Bus,
  BusReport,
  DeadLetters,
  PartitionLag,
  RawSubscription,
  Resume,
  Running,
  Subscription,
  View,
  ViewSource,
} from './bus.port.ts';
import { messagesOf } from './dead-letter.ts';
import { logDeadLetters } from './dead-letters.handler.ts';
import { type DeliveryPolicy, killPolicy } from './delivery-policy.ts';
import { busError } from './errors.ts';
import type { Append, Log, Place, Position } from './log.port.ts';
import { type Lane, MOST_UNCOMMITTED, PartitionLoop } from './partition.loop.ts';
import { mustExist, type Outgoing, outgoing, unlimited } from './outgoing.otel.ts';
import { partitionOf } from './partition-of.ts';
import { RawLoop } from './raw.loop.ts';
import type { Reader, Surroundings } from './reader.loop.ts';
import type { Timer } from './timer.port.ts';
import { KILLS, REPLAYS } from './topic.ts';
import { Turnstile } from './turnstile.ts';
import { ViewLoop } from './view.loop.ts';

export interface LogBusOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly random: Random;
  readonly ids: Ids;
  /** Of the messages that the bus itself makes: dead letters and refusals. */
  readonly source: string;
  readonly policy: DeliveryPolicy;
}

type Loop = PartitionLoop | RawLoop;

/** The bus over a log of one process. */
export class LogBus implements Bus {
  readonly deadLetters: DeadLetters;
  readonly #options: LogBusOptions;
  readonly #turnstile = new Turnstile();
  readonly #groups = new Map<string, readonly Loop[]>();
  readonly #views = new Set<ViewLoop>();
  readonly #listeners: ((report: BusReport) => void)[] = [];
  /** Ends of the partitions when the last process ended uncleanly: what is behind them it cannot have handled. */
  readonly #endsAtDeath = new Map<string, number>();
  #isClosed = false;

  constructor(options: LogBusOptions) {
    this.#options = options;
    const { log } = options;
    this.deadLetters = logDeadLetters(log);
    if (log.endedUncleanly)
      for (const topic of log.topics())
        for (const partition of partitionsOf(log, topic))
          this.#endsAtDeath.set(`${topic} ${partition}`, log.bounds(topic, partition).end);
  }

  readonly publish: Publish = async (messages) => {
    const records = messages.map((message) => this.#appendOf(outgoing(message)));
    if (records.length > 0) await this.#options.log.append(records);
  };

  async subscribe(subscription: Subscription): Promise<Running> {
    const topics = [...subscription.topics, REPLAYS];
    return this.#run(subscription.group, topics, (positions) =>
      positions.map(
        (position) => new PartitionLoop(this.#lane(subscription, position), subscription, position),
      ),
    );
  }

  async subscribeRaw(subscription: RawSubscription): Promise<Running> {
    const { group, topics } = subscription;
    const lane = {
      ...this.#around(group, this.#options.policy),
      report: this.#report,
    };
    return this.#run(
      group,
      topics,
      (positions) => [new RawLoop(lane, subscription, positions)],
      subscription.from,
    );
  }

  async view(source: ViewSource): Promise<View> {
    this.#mustBeOpen();
    mustExist(source.topic);
    const around = this.#around(`view of ${source.topic}`, this.#options.policy);
    const view = new ViewLoop(around, source, this.#report);
    this.#views.add(view);
    return {
      caughtUp: view.caughtUp,
      get isReading() {
        return view.isReading;
      },
      close: async () => {
        await view.close();
        this.#views.delete(view);
      },
    };
  }

  async lag(): Promise<readonly PartitionLag[]> {
    return [...this.#groups.values()].flat().flatMap((loop) => loop.lag());
  }

  onReport(listener: (report: BusReport) => void): void {
    this.#listeners.push(listener);
  }

  async topics(): Promise<readonly string[]> {
    return this.#options.log.topics();
  }

  async check(): Promise<void> {
    this.#options.log.check();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#groups.values()].flat().map((loop) => loop.stop()));
    await Promise.all([...this.#views].map((view) => view.close()));
    this.#options.log.close();
  }

  /** As if the process died now: what is being handled is not finished, positions not yet durable are lost. */
  abandon(): void {
    this.#isClosed = true;
    this.#options.log.abandon();
    for (const reader of this.readers()) reader.stop();
  }

  readers(): readonly Reader[] {
    return [...this.#groups.values(), [...this.#views]].flat().map(({ reader }) => reader);
  }

  async #run(
    group: string,
    topics: readonly string[],
    start: (positions: readonly Position[]) => readonly Loop[],
    from?: readonly Resume[],
  ): Promise<Running> {
    this.#mustBeOpen();
    for (const topic of topics) mustExist(topic);
    if (this.#groups.has(group))
      throw busError('BUS_GROUP_IN_USE', `The group ${group} has its one member already.`);
    const { log } = this.#options;
    const loops = start(
      topics.flatMap((topic) =>
        partitionsOf(log, topic).map((partition) =>
          from
            ? this.#beginAt({ group, topic, partition }, from)
            : this.#begin({ group, topic, partition }),
        ),
      ),
    );
    this.#groups.set(group, loops);
    return {
      stop: async () => {
        await Promise.all(loops.map((loop) => loop.stop()));
        if (!this.#isClosed) log.flush();
        if (this.#groups.get(group) === loops) this.#groups.delete(group);
      },
    };
  }

  /** A new group starts at the beginning, and is known from now on. */
  #begin(place: Place): Position {
    const { log } = this.#options;
    const known = log.position(place);
    if (known !== undefined) return { ...place, next: known };
    const next = log.bounds(place.topic, place.partition).start;
    log.move(place, next);
    return { ...place, next };
  }

  /** Of a topic that was made anew nothing is known to the reader. */
  #beginAt(place: Place, from: readonly Resume[]): Position {
    const { log } = this.#options;
    const { topic, partition } = place;
    const known = from.find((each) => each.topic === topic && each.partition === partition);
    const isSame = known?.incarnation === log.incarnation(topic);
    const { start } = log.bounds(topic, partition);
    const next = known && isSame ? Math.max(start, Number(known.offset)) : start;
    log.move(place, next);
    return { ...place, next };
  }

  #lane({ group, topics }: Subscription, { topic, partition, next }: Position): Lane {
    const isUrgent = topics.includes(KILLS);
    const { policy } = this.#options;
    const endAtDeath = this.#endsAtDeath.get(`${topic} ${partition}`) ?? 0;
    return {
      ...this.#around(group, isUrgent ? killPolicy(policy) : policy),
      turnstile: this.#turnstile,
      isUrgent,
      carefulBelow: Math.min(endAtDeath, next + MOST_UNCOMMITTED + 1),
      report: this.#report,
      giveUp: async (letter, decoded, position) => {
        const { ids, source, log } = this.#options;
        const records = messagesOf(letter, decoded, topic, { id: ids.next(), source });
        await log.append(
          records.map((message) => this.#appendOf(unlimited(message))),
          [position],
        );
      },
    };
  }

  #around(group: string, policy: DeliveryPolicy): Surroundings {
    return {
      ...this.#options,
      policy,
      lagging: (topic, message) => {
        this.#report({ kind: 'lagging', group, topic, message: `${group} on ${topic} ${message}` });
      },
    };
  }

  readonly #report = (report: BusReport): void => {
    for (const listener of this.#listeners) listener(report);
  };

  #appendOf({ topic, record }: Outgoing): Append {
    const { log } = this.#options;
    return { topic, partition: partitionOf(record.key, log.partitions(topic)), record };
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw busError('BUS_CLOSED', 'The bus is closed.');
  }
}

const partitionsOf = (log: Log, topic: string): readonly number[] =>
  Array.from({ length: log.partitions(topic) }, (_, partition) => partition);
