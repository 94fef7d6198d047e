import type { Decoded } from '@tidegate/contracts';
import { messageOf } from '@tidegate/kernel';
import { afterAwake } from './after-awake.ts';
import type { BusReport, DeadLetter, PartitionLag, RawRecord, Subscription } from './bus.port.ts';
import { deadLetter, replayedTo } from './dead-letter.ts';
import { afterFailure, type Failure, spendsBudget } from './delivery-policy.ts';
import type { Position } from './log.port.ts';
import { Progress } from './progress.loop.ts';
import { Reader, type Surroundings } from './reader.loop.ts';
import { REPLAYS } from './topic.ts';
import { namesOf, triage } from './triage.ts';
import type { Turnstile } from './turnstile.ts';

/** Handled records whose position is not yet durable, per partition: what a killed process handles again at most. */
export const MOST_UNCOMMITTED = 500;
const BATCH = 100;
const ATTEMPTS_AFTER_UNCLEAN_END = 3;

export interface Lane extends Surroundings {
  readonly turnstile: Turnstile;
  /** Waits for nothing but its like when messages are taken one at a time. */
  readonly isUrgent: boolean;
  /** Offsets below may have been in handling when the last process ended uncleanly. */
  readonly carefulBelow: number;
  report(report: BusReport): void;
  /** Writes the letter, refuses its command and moves the position on, in one step. */
  giveUp(letter: DeadLetter, decoded: Decoded | undefined, position: Position): Promise<void>;
}

type Outcome = 'handled' | 'stopped' | { readonly error: unknown } | GivenUp;
type GivenUp = Failure & { readonly attempts: number };

/** Delivers one partition to one group, one record after another. */
export class PartitionLoop {
  readonly reader: Reader;
  readonly #lane: Lane;
  readonly #subscription: Subscription;
  readonly #names: ReadonlySet<string>;
  readonly #progress: Progress;
  readonly #done: Promise<void>;
  #uncommitted = 0;

  constructor(lane: Lane, subscription: Subscription, position: Position) {
    this.#lane = lane;
    this.#subscription = subscription;
    this.#names = namesOf(subscription.types);
    this.#progress = new Progress(lane.log, lane.clock, position);
    this.reader = new Reader(lane, [{ ...position }], BATCH);
    this.#done = this.#run();
  }

  lag(): readonly PartitionLag[] {
    return [this.#progress.lag(this.reader.waitingFor)];
  }

  /** Resolves when what is being handled is handled. */
  stop(): Promise<void> {
    this.reader.stop();
    return this.#done;
  }

  async #run(): Promise<void> {
    for (;;) {
      const batch = await this.reader.batch();
      if (batch.length === 0) return;
      for (const entry of batch) {
        if (this.reader.isStopped) return;
        await this.#take(entry);
        if (this.#uncommitted >= MOST_UNCOMMITTED) await this.#commit();
      }
    }
  }

  /** Moves on behind the record, or leaves it where it is because the loop was stopped. */
  async #take(entry: RawRecord): Promise<void> {
    const { group, topic } = this.#progress.place;
    const raw = topic === REPLAYS ? replayedTo(group, entry) : entry;
    if (!raw) return this.#moveBehind(entry);
    const found = triage(raw.record, this.#subscription.types, this.#names);
    switch (found.kind) {
      case 'pass':
        return this.#moveBehind(entry);
      case 'unknown-type':
        this.#lane.report({ kind: 'unknown-type', group, type: found.type });
        return this.#moveBehind(entry);
      case 'give-up':
        return this.#giveUp(entry, raw, { ...found.failure, attempts: 1 });
      case 'deliver':
        return this.#deliver(entry, raw, found.decoded);
    }
  }

  async #deliver(entry: RawRecord, raw: RawRecord, decoded: Decoded): Promise<void> {
    const { clock, random, policy } = this.#lane;
    let since: number | undefined;
    let counted = 0;
    for (let attempt = 1; !this.reader.isStopped; attempt += 1) {
      const outcome = await this.#attempt(entry, raw, decoded, attempt);
      if (outcome === 'handled') return this.#moveBehind(entry);
      if (outcome === 'stopped') return;
      if ('reason' in outcome) return this.#giveUp(entry, raw, outcome, decoded);
      const { error } = outcome;
      since ??= clock.now();
      if (spendsBudget(error)) counted += 1;
      const tries = { failed: attempt, counted, random: random.next() };
      const next = afterFailure(error, tries, policy);
      if (next.next === 'dead-letter')
        return this.#giveUp(entry, raw, { ...next, attempts: attempt }, decoded);
      const { code, inMs } = next;
      const message = messageOf(error);
      await this.reader.waitOut({ code, message, failed: attempt, since, inMs });
    }
  }

  async #attempt(
    entry: RawRecord,
    raw: RawRecord,
    decoded: Decoded,
    attempt: number,
  ): Promise<Outcome> {
    if (Number(entry.origin.offset) >= this.#lane.carefulBelow)
      return this.#handle(raw, decoded, attempt);
    const { turnstile, isUrgent } = this.#lane;
    await new Promise<void>((go) => {
      turnstile.enter(isUrgent, go);
    });
    try {
      return await this.#handleCarefully(entry, raw, decoded, attempt);
    } finally {
      turnstile.leave(isUrgent);
    }
  }

  /** The attempt is written first: a record that ends the process again and again is found by its count. */
  async #handleCarefully(
    entry: RawRecord,
    raw: RawRecord,
    decoded: Decoded,
    attempt: number,
  ): Promise<Outcome> {
    if (this.reader.isStopped) return 'stopped';
    const { log } = this.#lane;
    const { place } = this.#progress;
    const offset = Number(entry.origin.offset);
    let attempts = 0;
    const isWritten = await this.reader.insist(async () => {
      attempts = await log.beginAttempt(place, offset);
    });
    if (!isWritten) return 'stopped';
    if (attempts >= ATTEMPTS_AFTER_UNCLEAN_END)
      return {
        reason: 'ended-process',
        code: 'BUS_PROCESS_ENDED',
        message: `The process ended ${attempts} times while it handled this message.`,
        attempts,
      };
    const outcome = await this.#handle(raw, decoded, attempt);
    log.endAttempt(place, offset);
    return outcome;
  }

  async #handle(raw: RawRecord, decoded: Decoded, attempt: number): Promise<Outcome> {
    const { group, topic } = this.#progress.place;
    const { definition, message } = decoded;
    const deadlineMs = definition.deadlineMs ?? this.#lane.policy.deadlineMs;
    const cancel = afterAwake(this.#lane.timer, deadlineMs, () => {
      const what = `${message.type} ${message.metadata.id} of ${message.key}`;
      this.#lane.report({
        kind: 'stuck',
        group,
        topic,
        message: `${what} has been in handling for ${deadlineMs} ms.`,
      });
    });
    try {
      await this.#subscription.handle({ ...raw, message, definition, attempt });
      return 'handled';
    } catch (error) {
      return { error };
    } finally {
      cancel();
    }
  }

  async #giveUp(
    entry: RawRecord,
    raw: RawRecord,
    failure: GivenUp,
    decoded?: Decoded,
  ): Promise<void> {
    const { group } = this.#progress.place;
    const at = this.#lane.clock.now();
    const letter = deadLetter(group, entry.origin, raw, { ...failure, at });
    const position = this.#progress.behind(entry);
    if (!(await this.reader.insist(() => this.#lane.giveUp(letter, decoded, position)))) return;
    this.#moveBehind(entry);
    this.#lane.report({ kind: 'dead-lettered', letter });
  }

  #moveBehind(entry: RawRecord): void {
    this.#progress.moveBehind(entry);
    this.#uncommitted += 1;
  }

  async #commit(): Promise<void> {
    await this.reader.insist(() => {
      this.#lane.log.flush();
    });
    this.#uncommitted = 0;
  }
}
