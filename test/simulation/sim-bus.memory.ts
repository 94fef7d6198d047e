import type { View, ViewSource } from '@tidegate/bus';
import { type MemoryBus, memoryBus } from '@tidegate/bus/testing';
import { decode, definitionOf, type OutgoingMessage, type Publish } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import { partitionOf } from '../../libs/bus/src/partition-of.ts';
import type { Registration } from './consumers.ts';
import type { Defect } from './defect.ts';
import { Lane } from './lane.ts';
import { type Life, type Sim, unreachable } from './sim.ts';

/** A broker with several members per group: partitions move between them, and what was not committed comes again. */
export class SimBus {
  /** As it stands in the topics, in the order in which it came there; repeats too. */
  readonly published: OutgoingMessage[] = [];
  isAway = false;
  readonly #sim: Sim;
  readonly #broker: MemoryBus;
  readonly #defect: Defect;
  readonly #lanes = new Map<string, Lane>();
  readonly #members = new Map<string, Map<Life, Registration>>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(sim: Sim, defect: Defect) {
    this.#sim = sim;
    this.#defect = defect;
    this.#broker = memoryBus({ clock: sim.scheduler, ids: sim.ids });
  }

  get log(): MemoryBus['log'] {
    return this.#broker.log;
  }

  /** Nothing is left that somebody has to handle. */
  get isIdle(): boolean {
    return [...this.#lanes.values()].every((lane) => lane.isIdle);
  }

  lanes(): readonly Lane[] {
    return [...this.#lanes.values()];
  }

  /** Puts messages where they belong, without a connection that could break. */
  put(messages: readonly OutgoingMessage[]): void {
    this.published.push(...messages);
    void this.#broker.publish(messages); // appends at once
    for (const { topic, key } of messages)
      this.#wake(topic, partitionOf(key, this.log.partitions(topic)));
  }

  /** A record that nobody can read, of a type that somebody takes. */
  poison(topic: string): void {
    const types = [...this.#members.values()]
      .flatMap((members) => [...members.values()])
      .flatMap(({ types }) => [...types])
      .filter((type) => definitionOf(type)?.topic === topic);
    if (types.length === 0) return;
    const wire = definitionOf(this.#sim.random.pick(types))?.wire ?? '';
    const headers = {
      ce_type: wire,
      ce_id: this.#sim.ids.next(),
      ce_source: 'outside',
      ce_time: '2026-01-01T00:00:00Z',
    };
    const record = { key: 'poison', headers, value: new Uint8Array([0x7b]) };
    void this.log.append([{ topic, partition: 0, record }]);
    this.#wake(topic, 0);
  }

  publishFrom(life: Life): Publish {
    const sim = this.#sim;
    return async (messages) => {
      const types = messages.map(({ type }) => type).join(', ');
      await sim.gate(life, 'publish');
      if (this.isAway || life.busIsCut) throw unreachable('BUS_UNREACHABLE');
      if (sim.random.chance(sim.profile.publishFails)) {
        const part = sim.random.between(0, messages.length - 1);
        this.put(messages.slice(0, part));
        sim.note(life.name, `publishes ${part} of ${types}`);
        sim.count(part > 0 ? 'publish: a part' : 'publish failed');
        throw unreachable('BUS_UNREACHABLE');
      }
      this.put(messages);
      sim.note(life.name, `publishes ${types}`);
      if (sim.random.chance(sim.profile.publishAckLost)) {
        sim.count('publish: answer lost');
        throw unreachable('BUS_UNREACHABLE');
      }
      await sim.gate(life, 'publish done');
    };
  }

  check(life: Life): void {
    if (this.isAway || life.busIsCut) throw unreachable('BUS_UNREACHABLE');
  }

  /** A member comes; with its life it goes. */
  join(life: Life, registrations: readonly Registration[]): void {
    // First: it may die while it takes over its partitions.
    life.onDeath.push(() => {
      for (const { group } of registrations) {
        this.#members.get(group)?.delete(life);
        this.#rebalance(group);
      }
    });
    for (const registration of registrations) {
      if (!life.isAlive) return;
      const { group } = registration;
      const members = this.#members.get(group) ?? new Map<Life, Registration>();
      this.#members.set(group, members.set(life, registration));
      for (const topic of registration.topics)
        for (let partition = 0; partition < this.log.partitions(topic); partition += 1)
          if (this.log.bounds(topic, partition).end > 0) this.#lane(group, topic, partition);
      this.#rebalance(group);
    }
  }

  /** Moves some partitions of a group, and those that nobody has. */
  #rebalance(group: string): void {
    for (const lane of this.#lanes.values())
      if (lane.group === group && (!lane.isAssigned || this.#sim.random.chance(0.3)))
        this.move(lane);
  }

  move(lane: Lane): void {
    const members = [...(this.#members.get(lane.group) ?? [])];
    if (members.length > 0) lane.assign(...this.#sim.random.pick(members));
  }

  #lane(group: string, topic: string, partition: number): Lane {
    const name = `${group} ${topic} ${partition}`;
    const known = this.#lanes.get(name);
    if (known) return known;
    const options = { group, topic, partition, defect: this.#defect, bus: this };
    const lane = new Lane(this.#sim, options);
    this.#lanes.set(name, lane);
    this.move(lane);
    return lane;
  }

  #wake(topic: string, partition: number): void {
    for (const [group, members] of this.#members) {
      const [registration] = members.values();
      if (registration?.topics.has(topic)) this.#lane(group, topic, partition).wake();
    }
    for (const resume of this.#waiting.get(topic) ?? []) resume();
  }

  /** A compacted topic read from its start into a reducer; while the bus is away it waits. */
  async view(life: Life, { topic, apply }: ViewSource): Promise<View> {
    this.check(life);
    const sim = this.#sim;
    const goal = this.log.bounds(topic, 0).end;
    const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
    const listeners = this.#waiting.get(topic) ?? new Set();
    this.#waiting.set(topic, listeners);
    const follow = async () => {
      for (let next = 0; life.isAlive;) {
        if (next >= goal) resolve();
        while (next >= this.log.bounds(topic, 0).end) await oneOf(listeners);
        while (this.isAway || life.busIsCut) await sim.scheduler.sleep(life, 200);
        await sim.gate(life, 'view');
        const [entry] = this.log.read(topic, 0, next, 1, Infinity);
        next = Number(entry?.origin.offset ?? next) + 1;
        const decoded = entry && decode(entry.record);
        if (!life.isAlive || !decoded || isRejection(decoded)) continue;
        if (this.#defect.isDeaf && decoded.message.type === 'GatekeeperAlive') continue;
        apply(decoded.message.key, decoded.message);
      }
    };
    sim.begin(`${life.name} view`, follow());
    return { caughtUp, isReading: true, close: async () => undefined };
  }
}

const oneOf = (listeners: Set<() => void>): Promise<void> =>
  new Promise((resume) => {
    const once = () => {
      listeners.delete(once);
      resume();
    };
    listeners.add(once);
  });
