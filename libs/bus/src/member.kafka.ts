import type { Batch } from 'kafkajs';
import type { PartitionLag, RawSubscription } from './bus.port.ts';
import type { Committed } from './cluster.kafka.ts';
import { Commits } from './commits.kafka.ts';
import { type Assignment, Consumption, type ConsumptionOptions } from './consumption.kafka.ts';
import { busError } from './errors.ts';
import { within } from './errors.kafka.ts';
import type { LoopLog, Position } from './log.port.ts';
import { Lot } from './lot.kafka.ts';
import { type Keeper, LotsLog } from './lots-log.kafka.ts';
import { MOST_UNCOMMITTED } from './partition.loop.ts';
import { lossOf, newsOf, placedAt, resumeAt, type Resumption, type Settling } from './resume-at.ts';
import { keyOf, type Loop, Units } from './units.kafka.ts';

export interface MemberOptions extends ConsumptionOptions {
  /** The group's name without prefix. */
  readonly group: string;
  /** One loop for each lot, or one for all of them. */
  readonly isRaw: boolean;
  /** Where to go on instead of what the group has committed; in partitions that are not listed at the beginning. */
  readonly from: RawSubscription['from'];
  start(log: LoopLog, lots: readonly Lot[], positions: readonly Position[]): Loop;
  lagging(topic: string, message: string): void;
}

type Passed = NonNullable<ReturnType<Lot['passedOver']>>;

/** One member of a group: what it is assigned it handles, and what is handled it commits. */
export class Member implements Keeper {
  isHeld = true;
  readonly #options: MemberOptions;
  readonly #consumption: Consumption;
  readonly #units: Units;
  readonly #commits: Commits;
  readonly #lots = new Map<string, Lot>();
  /** Of partitions that were lost or made anew: how far they were handled here. */
  readonly #former = new Map<string, Lot>();
  readonly #firstJoin = Promise.withResolvers<void>();
  #generation = 0;
  #isStopped = false;
  #isToldOf = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#units = new Units(options.isRaw, (lots) => this.#start(lots));
    this.#consumption = new Consumption(options, {
      joined: (assignment) => {
        this.#joined(assignment);
      },
      rebalancing: () => {
        this.#rebalancing();
      },
      batch: (topic, batch) => {
        this.#take(topic, batch);
      },
      topicGone: () => {
        // kafkajs goes on in the new one as if it were the old one.
        if (!this.isHeld) this.#takeStock();
      },
      failed: (error, sinceMs) => {
        this.#failed(error, sinceMs);
      },
    });
    const { clock, budgets, topics } = options;
    this.#commits = new Commits({
      consumption: this.#consumption,
      clock,
      budgets,
      lots: () => this.#lots.values(),
      lagging: (message) => {
        options.lagging(topics[0] ?? '', message);
      },
    });
  }

  /** Resolves when the member has its partitions, or has waited for them long enough: then it goes on waiting. */
  async start(): Promise<void> {
    const { budgets } = this.#options;
    this.#consumption.start();
    this.#commits.start(() => !this.isHeld);
    await within(budgets.join, 'joining', this.#firstJoin.promise).catch(() => undefined);
  }

  lag(): readonly PartitionLag[] {
    const now = this.#options.clock.now();
    return this.#units
      .loops()
      .flatMap((loop) => loop.lag())
      .map((lag) => {
        const lot = this.#lots.get(keyOf(lag));
        if (!lot || lag.records === 0 || lag.ageMs > 0) return lag;
        // Not fetched yet, so nobody knows since when it waits: at least since it was first missed.
        lot.missedSince ??= now;
        return { ...lag, ageMs: Math.max(0, now - lot.missedSince) };
      });
  }

  /** Asks the brokers how far the partitions go. */
  async refresh(): Promise<void> {
    const { cluster } = this.#options;
    const topics = new Set([...this.#lots.values()].map(({ topic }) => topic));
    await Promise.all(
      [...topics].map(async (topic) => {
        const bounds = await cluster.bounds(topic);
        for (const lot of this.#lots.values()) {
          const found = lot.topic === topic ? bounds[lot.partition] : undefined;
          if (!found) continue;
          lot.low = found.start;
          lot.high = Math.max(found.end, lot.next);
        }
      }),
    );
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#commits.stop();
    await this.#units.stop();
    await this.#commits.now(false).catch(() => undefined); // then it is handled once more
    await this.#consumption.stop();
    this.#firstJoin.resolve();
  }

  /** As if the process died now, but that the group need not wait for its session to end. */
  async abandon(): Promise<void> {
    this.#isStopped = true;
    this.isHeld = true;
    this.#commits.stop();
    this.#units.abandon();
    await this.#consumption.stop();
  }

  moved(lot: Lot): void {
    if (lot.isPaused && lot.isHalfEmpty && this.#lots.get(keyOf(lot)) === lot) {
      lot.isPaused = false;
      this.#consumption.resume(lot.topic, lot.partition);
    }
  }

  commitSoon(): void {
    if (!this.isHeld) this.#commits.soon(true);
  }

  async commitNow(): Promise<void> {
    if (this.isHeld) throw busError('BUS_UNREACHABLE', 'The group is being divided anew.');
    await this.#commits.now(true);
  }

  #take(topic: string, batch: Batch): void {
    const lot = this.#lots.get(keyOf({ topic, partition: batch.partition }));
    if (!lot || this.#isStopped) return;
    const passed = lot.passedOver(batch);
    if (passed) void this.#passedOver(lot, passed);
    if (!lot.take(batch)) {
      lot.isRewound = true;
      return this.#takeStock();
    }
    if (lot.isFull && !lot.isPaused) {
      lot.isPaused = true;
      this.#consumption.pause(lot.topic, lot.partition);
    }
    // Not at once: a reader that has just found nothing must be waiting by then.
    setImmediate(() => {
      lot.wake();
    });
  }

  /** What is handled belongs to whoever has the partition next: it leaves before this member joins again. */
  #rebalancing(): void {
    if (!this.isHeld) this.#commits.soon(false);
    this.isHeld = true;
  }

  #joined(assignment: Assignment): void {
    const assigned = new Set<string>();
    for (const [topic, partitions] of assignment)
      for (const partition of partitions) {
        const lot = this.#lots.get(keyOf({ topic, partition })) ?? new Lot(topic, partition);
        lot.rejoin();
        lot.forgetCommitted();
        assigned.add(keyOf(lot));
        this.#lots.set(keyOf(lot), lot);
        if (lot.isPaused) this.#consumption.pause(topic, partition);
      }
    for (const [key, lot] of this.#lots) if (!assigned.has(key)) this.#retire(lot);
    this.#takeStock();
  }

  #retire(lot: Lot): void {
    const key = keyOf(lot);
    if (lot.isPaused) this.#consumption.resume(lot.topic, lot.partition);
    if (lot.isOpen) this.#former.set(key, lot);
    this.#lots.delete(key);
  }

  /** Finds out where to go on, tells the group that this is in hand, and begins. */
  #takeStock(): void {
    this.isHeld = true;
    this.#generation += 1;
    const generation = this.#generation;
    const isCurrent = () => generation === this.#generation && !this.#isStopped;
    const { clock } = this.#options;
    const since = clock.now();
    const attempt = async (failures: number): Promise<void> => {
      try {
        await this.#stock(isCurrent);
      } catch (error) {
        if (!isCurrent()) return;
        this.#failed(error as Error, clock.now() - since);
        setTimeout(() => void attempt(failures + 1), Math.min(2_000, 50 * 2 ** failures)).unref();
      }
    };
    void attempt(0);
  }

  async #stock(isCurrent: () => boolean): Promise<void> {
    const { cluster, groupId, from } = this.#options;
    const topics = [...new Set([...this.#lots.values()].map(({ topic }) => topic))];
    const [committed, ...bounds] = await Promise.all([
      topics.length > 0 ? cluster.committed(groupId, topics) : new Map<string, never>(),
      ...topics.map((topic) => cluster.bounds(topic)),
    ]);
    if (!isCurrent()) return;
    // A copy: what is made anew takes the place of what was.
    for (const lot of Array.from(this.#lots.values())) {
      const { start = 0, end = 0 } = bounds[topics.indexOf(lot.topic)]?.[lot.partition] ?? {};
      const found = committed.get(lot.topic)?.[lot.partition];
      const isPlaced = from !== undefined && !lot.isOpen && !this.#former.has(keyOf(lot));
      const committedAt = isPlaced ? placedAt(from, lot, found) : found;
      this.#settle(lot, committedAt, { low: start, high: end, isPlaced });
    }
    await this.#commits.now(true);
    if (!isCurrent()) return;
    this.isHeld = false;
    this.#isToldOf = false;
    this.#units.regroup([...this.#lots.values()]);
    for (const lot of this.#lots.values()) lot.wake();
    this.#firstJoin.resolve();
  }

  #settle(lot: Lot, committed: Committed | undefined, { low, high, isPlaced }: Settling): void {
    const own = lot.isOpen ? lot : this.#former.get(keyOf(lot));
    const { clock } = this.#options;
    const { isRewound } = lot;
    const resumption = resumeAt({ own, committed, low, high, isRewound, now: clock.now() });
    const news = newsOf(lot.partition, resumption);
    if (news !== undefined) this.#options.lagging(lot.topic, news);
    const isKept = lot.isOpen && !resumption.isRemade && resumption.next === lot.next;
    // What was fetched meanwhile is from where the group has got to.
    const isHere = isKept || (!lot.isOpen && !isPlaced);
    const settled = isHere ? lot : this.#replace(lot, resumption);
    settled.low = low;
    settled.high = high;
    if (isKept) return;
    settled.open(resumption);
    if (committed?.isOpen !== true || resumption.isRemade) return;
    settled.attempt = committed.attempt;
    settled.carefulBelow = Math.min(high, resumption.next + MOST_UNCOMMITTED + 1);
  }

  #replace(lot: Lot, { next }: Resumption): Lot {
    const fresh = new Lot(lot.topic, lot.partition);
    this.#retire(lot);
    this.#lots.set(keyOf(lot), fresh);
    this.#consumption.seek(lot.topic, lot.partition, next);
    return fresh;
  }

  /** kafkajs goes on behind what is gone and says nothing. Offsets that are still kept held no record for us. */
  async #passedOver({ topic, partition }: Lot, { from, to }: Passed): Promise<void> {
    const { cluster, lagging } = this.#options;
    const low = await cluster.bounds(topic).then(
      (bounds) => bounds[partition]?.start ?? to,
      () => to, // nobody says otherwise
    );
    if (low > from) lagging(topic, lossOf(partition, Math.min(low, to) - from));
  }

  /** What was handled here since the partition was last committed by others need not be handled again. */
  #start(lots: readonly Lot[]): Loop {
    for (const lot of lots) {
      const former = this.#former.get(keyOf(lot));
      if (former?.incarnation === lot.incarnation) lot.move(former.next);
      this.#former.delete(keyOf(lot));
    }
    const { group, start } = this.#options;
    const positions = lots.map(({ topic, partition, next }) => ({ group, topic, partition, next }));
    return start(new LotsLog(this, lots), lots, positions);
  }

  #failed(error: Error, sinceMs: number): void {
    const { lagging, budgets, topics } = this.#options;
    this.isHeld = true;
    if (sinceMs < budgets.outage || this.#isToldOf) return;
    this.#isToldOf = true;
    lagging(topics[0] ?? '', `has not been able to read for ${sinceMs} ms: ${error.message}`);
  }
}
