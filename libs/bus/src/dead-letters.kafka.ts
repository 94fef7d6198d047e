import { decode } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import type { DeadLetter, DeadLetters, RawRecord } from './bus.port.ts';
import type { Cluster } from './cluster.kafka.ts';
import { letterIdOf, letterOf, replayOf } from './dead-letter.ts';
import { busError } from './errors.ts';
import type { Sender } from './sender.kafka.ts';
import { DEAD_LETTER, REPLAYS } from './topic.ts';

export interface LedgerOptions {
  readonly cluster: Cluster;
  readonly sender: Sender;
  /** Everything that stands in the topics now, in order of each partition. */
  scan(topics: readonly string[], apply: (raw: RawRecord) => void): Promise<void>;
}

/** The dead letters of a cluster: their topic is read each time, since only operators ask; no more than a page is kept. */
export function kafkaDeadLetters({ cluster, sender, scan }: LedgerOptions): DeadLetters {
  const isEmpty = async (topic: string): Promise<boolean> => {
    await cluster.ensure([topic]);
    return (await cluster.bounds(topic)).every(({ start, end }) => start === end);
  };

  /** Every letter once, oldest first: one that was written twice has one id. */
  const scanLetters = async (visit: (letter: DeadLetter) => void) => {
    const replayedAt = new Map<string | undefined, number>();
    if (await isEmpty(DEAD_LETTER)) return replayedAt;
    const seen = new Set<string>();
    await scan([DEAD_LETTER, REPLAYS], (raw) => {
      if (raw.origin.topic === REPLAYS) replayedAt.set(letterIdOf(raw), raw.recordedAt);
      else {
        const decoded = decode(raw.record);
        if (isRejection(decoded)) return;
        const letter = letterOf(decoded.message);
        if (!seen.has(letter.id)) visit(letter);
        seen.add(letter.id);
      }
    });
    return replayedAt;
  };

  const find = async (id: string): Promise<DeadLetter | undefined> => {
    let found: DeadLetter | undefined;
    const replayedAt = await scanLetters((letter) => {
      if (letter.id === id) found = letter;
    });
    return found && withReplay(found, replayedAt.get(id));
  };

  return {
    async list({ after, limit }) {
      const page: DeadLetter[] = [];
      let isComplete = false;
      const replayedAt = await scanLetters((letter) => {
        isComplete ||= letter.id === after;
        if (isComplete) return;
        page.push(letter);
        if (page.length > limit) page.shift();
      });
      if (after !== undefined && !isComplete) return [];
      return page.reverse().map((letter) => withReplay(letter, replayedAt.get(letter.id)));
    },

    find,

    async replay(id, by) {
      const letter = await find(id);
      if (!letter) throw busError('BUS_DEAD_LETTER_UNKNOWN', `There is no dead letter ${id}.`);
      await sender.send([{ topic: REPLAYS, record: replayOf(letter, by) }]);
    },
  };
}

const withReplay = (letter: DeadLetter, replayedAt: number | undefined): DeadLetter =>
  replayedAt === undefined ? letter : { ...letter, replayedAt };
