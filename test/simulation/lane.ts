import type { RawRecord } from '@tidegate/bus';
import type { Decoded, OutgoingMessage } from '@tidegate/contracts';
import { messageOf } from '@tidegate/kernel';
import { deadLetter, letterMessage, refusalOf } from '../../libs/bus/src/dead-letter.ts';
import {
  afterFailure,
  defaultPolicy,
  killPolicy,
  spendsBudget,
} from '../../libs/bus/src/delivery-policy.ts';
import { namesOf, triage } from '../../libs/bus/src/triage.ts';
import type { Registration } from './consumers.ts';
import type { Defect } from './defect.ts';
import type { Life, Sim } from './sim.ts';
import type { SimBus } from './sim-bus.memory.ts';

interface Assignment {
  readonly life: Life;
  readonly registration: Registration;
  readonly names: ReadonlySet<string>;
  next: number;
  isRevoked: boolean;
  isBusy: boolean;
  wake: () => void;
}
type Failure = Parameters<typeof deadLetter>[3];

/** One partition as one group reads it: by one member after another, from where it was committed. */
export class Lane {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly #sim: Sim;
  readonly #bus: SimBus;
  readonly #defect: Defect;
  #committed = 0;
  #stalledUntil = 0;
  #assignment: Assignment | undefined;

  constructor(
    sim: Sim,
    options: { group: string; topic: string; partition: number; bus: SimBus; defect: Defect },
  ) {
    this.group = options.group;
    this.topic = options.topic;
    this.partition = options.partition;
    this.#sim = sim;
    this.#bus = options.bus;
    this.#defect = options.defect;
  }

  get isAssigned(): boolean {
    return this.#assignment?.life.isAlive ?? false;
  }

  get isIdle(): boolean {
    const mine = this.#assignment;
    return !mine || (!mine.isBusy && mine.next >= this.#end);
  }

  get #end(): number {
    return this.#bus.log.bounds(this.topic, this.partition).end;
  }

  /** From now on another one reads; what the former is doing it still does, but it commits nothing. */
  assign(life: Life, registration: Registration): void {
    if (this.#assignment) {
      this.#assignment.isRevoked = true;
      if (this.#assignment.isBusy) this.#sim.count('rebalance: in handling');
      this.#assignment.wake();
    }
    const mine: Assignment = {
      life,
      registration,
      names: namesOf(registration.types),
      next: this.#committed,
      isRevoked: false,
      isBusy: false,
      wake: () => undefined,
    };
    this.#assignment = mine;
    this.#sim.begin(`${life.name} ${this.topic}`, this.#consume(mine));
  }

  /** Whoever reads it is slow: nothing is handled for a while. */
  stall(forMs: number): void {
    this.#stalledUntil = this.#sim.now() + forMs;
  }

  wake(): void {
    this.#assignment?.wake();
  }

  async #consume(mine: Assignment): Promise<void> {
    while (mine.life.isAlive && !mine.isRevoked) {
      mine.isBusy = false;
      const [entry] = this.#bus.log.read(this.topic, this.partition, mine.next, 1, Infinity);
      if (!entry) {
        await new Promise<void>((resume) => {
          mine.wake = resume;
        });
        continue;
      }
      const found = triage(entry.record, mine.registration.types, mine.names);
      if (found.kind === 'pass' || found.kind === 'unknown-type') {
        mine.next += 1;
        continue;
      }
      mine.isBusy = true;
      await this.#sim.gate(mine.life, 'deliver');
      await this.#sim.scheduler.turn(mine.life);
      while (this.#isStopped(mine.life)) await this.#sim.scheduler.sleep(mine.life, 100);
      if (mine.isRevoked) return;
      if (found.kind === 'deliver') await this.#deliver(mine, entry, found.decoded);
      else this.#giveUp(mine, entry, { ...found.failure, attempts: 1, at: this.#sim.now() });
    }
  }

  #isStopped({ busIsCut }: Life): boolean {
    return this.#bus.isAway || busIsCut || this.#sim.now() < this.#stalledUntil;
  }

  async #deliver(mine: Assignment, entry: RawRecord, decoded: Decoded): Promise<void> {
    const { random } = this.#sim;
    const policy = this.topic === 'kills' ? killPolicy(defaultPolicy) : defaultPolicy;
    if (this.#defect.commitsFirst) this.#committed = Number(entry.origin.offset) + 1;
    let counted = 0;
    for (let failed = 1; ; failed += 1) {
      const error = await this.#handle(mine, decoded);
      if (mine.isRevoked) return;
      if (error === undefined) break;
      if (spendsBudget(error)) counted += 1;
      const next = afterFailure(error, { failed, counted, random: random.next() }, policy);
      if (next.next === 'dead-letter') {
        const letter = { ...next, attempts: failed, at: this.#sim.now() };
        this.#giveUp(mine, entry, letter, decoded);
        return;
      }
      await this.#sim.scheduler.sleep(mine.life, next.inMs);
    }
    this.#moveBehind(mine, entry);
  }

  /** Resolves with what the handler threw, if anything. */
  async #handle({ life, registration }: Assignment, { message }: Decoded): Promise<unknown> {
    try {
      await registration.handle(message);
      this.#sim.note(life.name, `has handled ${message.type} ${message.metadata.id}`);
      return undefined;
    } catch (error) {
      this.#sim.tolerate(`${life.name} at ${message.type} ${message.metadata.id}`, error);
      return error ?? new TypeError(messageOf(error));
    }
  }

  #moveBehind(mine: Assignment, entry: RawRecord): void {
    const { random, profile } = this.#sim;
    mine.next = Number(entry.origin.offset) + 1;
    if (!random.chance(profile.lateCommit)) this.#committed = Math.max(this.#committed, mine.next);
    if (!random.chance(profile.redeliver)) return;
    mine.next = Math.max(0, mine.next - random.between(1, 3));
    this.#sim.count('redelivery');
  }

  #giveUp(mine: Assignment, entry: RawRecord, failure: Failure, decoded?: Decoded): void {
    const { ids } = this.#sim;
    const letter = deadLetter(this.group, entry.origin, entry, failure);
    const refusal = decoded && refusalOf(decoded, letter, { id: ids.next(), source: 'bus' });
    const messages: OutgoingMessage[] = [
      letterMessage(letter, 'bus'),
      ...(refusal ? [refusal] : []),
    ];
    this.#bus.put(messages);
    mine.next = Number(entry.origin.offset) + 1;
    this.#committed = Math.max(this.#committed, mine.next);
    this.#sim.note(mine.life.name, `gives up ${letter.code}: ${letter.message}`);
    this.#sim.count(`dead letter: ${letter.reason}`);
  }
}
