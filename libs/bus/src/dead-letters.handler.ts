import { decode } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import type { DeadLetter, DeadLetters, RawRecord } from './bus.port.ts';
import { letterIdOf, letterOf, replayOf } from './dead-letter.ts';
import { busError } from './errors.ts';
import type { Log } from './log.port.ts';
import { DEAD_LETTER, REPLAYS } from './topic.ts';

const PAGE = 100;
const PAGE_BYTES = 4_000_000;

/** The dead letters of a log: read from their topic each time, since only operators ask. */
export function logDeadLetters(log: Log): DeadLetters {
  /** Newest first. */
  function* letters(): Generator<DeadLetter> {
    const { start, end } = log.bounds(DEAD_LETTER, 0);
    for (let to = end; to > start; to -= PAGE) {
      const page = [...recordsOf(log, DEAD_LETTER, Math.max(start, to - PAGE), to)];
      for (const { record } of page.reverse()) {
        const decoded = decode(record);
        if (!isRejection(decoded)) yield letterOf(decoded.message);
      }
    }
  }

  const replays = (): ReadonlyMap<string | undefined, number> => {
    const { start, end } = log.bounds(REPLAYS, 0);
    const entries = [...recordsOf(log, REPLAYS, start, end)];
    return new Map(entries.map((entry) => [letterIdOf(entry), entry.recordedAt]));
  };

  const withReplay = (letter: DeadLetter, replayedAt: number | undefined): DeadLetter =>
    replayedAt === undefined ? letter : { ...letter, replayedAt };

  const find = (id: string): DeadLetter | undefined => {
    for (const letter of letters())
      if (letter.id === id) return withReplay(letter, replays().get(id));
    return undefined;
  };

  return {
    async list({ after, limit }) {
      const replayedAt = replays();
      const page: DeadLetter[] = [];
      let isBehind = after === undefined;
      for (const letter of letters()) {
        if (page.length >= limit) break;
        if (isBehind) page.push(withReplay(letter, replayedAt.get(letter.id)));
        else isBehind = letter.id === after;
      }
      return page;
    },

    async find(id) {
      return find(id);
    },

    async replay(id, by) {
      const letter = find(id);
      if (!letter) throw busError('BUS_DEAD_LETTER_UNKNOWN', `There is no dead letter ${id}.`);
      await log.append([{ topic: REPLAYS, partition: 0, record: replayOf(letter, by) }]);
    },
  };
}

function* recordsOf(log: Log, topic: string, from: number, to: number): Generator<RawRecord> {
  for (let next = from; next < to;) {
    const page = log.read(topic, 0, next, to - next, PAGE_BYTES);
    if (page.length === 0) return;
    yield* page;
    next = Number(page.at(-1)?.origin.offset) + 1;
  }
}
