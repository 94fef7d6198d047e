import type { Bus, BusReport, DeadLetter } from '@tidegate/bus';
import { definitionOfWire, type OutgoingMessage, type Publish } from '@tidegate/contracts';
import { type Clock, messageOf } from '@tidegate/kernel';
import type { GivenUp, Known, Lag, Missing, OwedKill } from './known.ts';

type Facts = Pick<Known, 'kills' | 'refusal' | 'owing' | 'lags' | 'givenUp' | 'details'>;

interface Trying extends OwedKill {
  underWay: number;
  triedAt: number;
}

const KILLS = 'kills';
/** How long a letter is told of, and how many at most. */
const LETTER_MS = 3_600_000;
const MOST_LETTERS = 100;

/** What a service notices of itself while it works; nothing of it is asked of bus or store. */
export class SelfKnowledge {
  readonly #clock: Clock;
  readonly #kills = new Map<string, Trying>();
  readonly #lags = new Map<string, Lag>();
  readonly #describe: ((missing: Missing) => string | undefined)[] = [];
  #givenUp: readonly GivenUp[] = [];
  #refusal: string | undefined;
  #owing: Known['owing'];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same, and which kills the bus has not taken is known, also while it hangs. */
  publishing(publish: Publish): Publish {
    return async (messages) => {
      const kills = messages.filter(({ topic }) => topic === KILLS);
      for (const kill of kills) this.#begin(kill);
      try {
        await publish(messages);
        for (const { metadata } of kills) this.#kills.delete(metadata.id);
      } catch (error) {
        this.#refusal = messageOf(error);
        for (const { metadata } of kills) this.#failed(metadata.id);
        throw error;
      }
    };
  }

  /** After a round of the relay, which tried to publish everything that is owed. */
  relayed(owing: Known['owing'], beganAt: number): void {
    this.#owing = owing;
    if (!owing) this.#refusal = undefined;
    // What it did not try is not owed any more: another replica has published it.
    for (const [id, { underWay, triedAt }] of this.#kills)
      if (underWay === 0 && triedAt < beganAt) this.#kills.delete(id);
  }

  report(report: BusReport): void {
    if (report.kind === 'lagging') {
      const { group, topic, message } = report;
      const name = `${group} ${topic}`;
      const at = this.#lags.get(name)?.at ?? this.#clock.now();
      this.#lags.set(name, { group, topic, message, at });
    }
    if (report.kind === 'dead-lettered') this.#letter(report.letter);
  }

  /** Asks the bus whether those who lagged have caught up. */
  async review(bus: Pick<Bus, 'lag'>): Promise<void> {
    if (this.#lags.size === 0) return;
    const rows = await bus.lag();
    for (const [name, { group, topic, at }] of this.#lags) {
      const own = rows.filter((row) => row.group === group && row.topic === topic);
      const isBetter = own.every(
        ({ records, waitingFor, lastProgressAt = 0 }) =>
          records === 0 || (waitingFor === undefined && lastProgressAt > at),
      );
      if (isBetter) this.#lags.delete(name);
    }
  }

  /** What the service itself has to say on a page about what is missing. */
  describe(say: (missing: Missing) => string | undefined): void {
    this.#describe.push(say);
  }

  facts(): Facts {
    const now = this.#clock.now();
    this.#givenUp = this.#givenUp.filter(({ at }) => now - at < LETTER_MS);
    return {
      kills: [...this.#kills.values()],
      refusal: this.#refusal,
      owing: this.#owing,
      lags: [...this.#lags.values()],
      givenUp: this.#givenUp,
      details: { bus: this.#details('bus'), store: this.#details('store') },
    };
  }

  #details(missing: Missing): readonly string[] {
    return this.#describe.map((say) => say(missing)).filter((said) => said !== undefined);
  }

  #begin({ type, key, metadata: { id, at } }: OutgoingMessage): void {
    const known = this.#kills.get(id) ?? { type, key, at, underWay: 0, triedAt: 0 };
    known.underWay += 1;
    known.triedAt = this.#clock.now();
    this.#kills.set(id, known);
  }

  #failed(id: string): void {
    const kill = this.#kills.get(id);
    if (kill) kill.underWay -= 1;
  }

  #letter({ id, at, group, reason, code, message, origin, record }: DeadLetter): void {
    const definition = definitionOfWire(record.headers['ce_type'] ?? '');
    const isKill = origin.topic === KILLS || definition?.topic === KILLS;
    if (!isKill && reason !== 'ended-process') return;
    const type = definition?.type ?? record.headers['ce_type'] ?? 'A message';
    const letter = {
      id,
      at,
      group,
      type,
      key: record.key ?? '',
      why: `${code}: ${message}`,
      isKill,
    };
    this.#givenUp = [...this.#givenUp.filter((each) => each.id !== id), letter].slice(
      -MOST_LETTERS,
    );
  }
}
