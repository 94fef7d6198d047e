import { isAppError } from '@tidegate/kernel';
import type { Publish } from '@tidegate/contracts';
import type { Document, Documents, OutboxEntry } from './documents.port.ts';
import type { Faults } from './faults.port.ts';
import { type Lane, lanesOf } from './lanes.ts';
import { relay, type Relayed } from './relay.handler.ts';

/** What was owed and could not be published, or was published and could not be cleared. */
export interface OutboxFailure {
  readonly collection: string;
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly doing: 'publish' | 'clear';
  readonly error: unknown;
}

/** Publishing of what documents owe. */
export interface Outbox {
  /**
   * Publishes what the document owes: each (topic, key) in order and independently of the others, kills first;
   * clears what was taken. Resolves true if the bus has taken all of it; a failure is reported, not thrown.
   * @param known the document, if it was just loaded or saved.
   */
  flush(documents: Documents<unknown>, id: string, known?: Document<unknown>): Promise<boolean>;
  /** One round over all that is owed, left by a crash or by a bus that was away: the body of a loop. */
  relay(collections: readonly Documents<unknown>[]): Promise<Relayed>;
}

export interface OutboxOptions {
  readonly publish: Publish;
  readonly faults: Faults;
  /** For log and metrics; what is owed stays owed until `relay` has published it. */
  readonly onFailure?: (failure: OutboxFailure) => void;
}

/** One for all writers of a process: it keeps the order of each lane between flushes that overlap. */
export function createOutbox(options: OutboxOptions): Outbox {
  const underWay = new Map<string, UnderWay>();

  const flush: Outbox['flush'] = async (documents, id, known) => {
    const name = `${documents.name}/${id}`;
    const mine = underWay.get(name) ?? {
      last: new Map(),
      taken: new Set(),
      sent: new Set(),
      readers: 0,
    };
    underWay.set(name, mine);
    try {
      const lanes = await enqueue(mine, known ? () => known : () => documents.load(id), (entries) =>
        send(options, documents, id, entries),
      );
      return allTaken(await Promise.allSettled(lanes));
    } finally {
      const isIdle = mine.last.size === 0 && mine.readers === 0;
      if (isIdle && underWay.get(name) === mine) underWay.delete(name);
    }
  };

  return { flush, relay: (collections) => relay(flush, collections) };
}

/** All have ended before the first rejection is passed on: nothing goes on behind the caller's back. */
function allTaken(results: readonly PromiseSettledResult<boolean>[]): boolean {
  const broken = results.find((result) => result.status === 'rejected');
  if (broken) throw broken.reason;
  return results.every((result) => result.status === 'fulfilled' && result.value);
}

/** What is under way for one document. */
interface UnderWay {
  /** The last send of each lane. */
  readonly last: Map<string, Promise<boolean>>;
  /** Seqs that are on their way. */
  readonly taken: Set<number>;
  /** Seqs that the bus has taken, as long as somebody may have read them before. */
  readonly sent: Set<number>;
  /** How many are reading the document now. */
  readers: number;
}

async function enqueue(
  mine: UnderWay,
  load: () => Document<unknown> | undefined | Promise<Document<unknown> | undefined>,
  send: (entries: readonly OutboxEntry[]) => Promise<boolean>,
): Promise<readonly Promise<boolean>[]> {
  mine.readers += 1;
  try {
    const document = await load();
    return lanesOf(document?.outbox ?? []).map((lane) => inLane(mine, lane, send));
  } finally {
    mine.readers -= 1;
    if (mine.readers === 0) mine.sent.clear();
  }
}

/** Sends behind what is under way in the same lane, and only if that succeeds: nothing is overtaken. */
function inLane(
  { last, taken, sent }: UnderWay,
  { name, entries }: Lane<OutboxEntry>,
  send: (entries: readonly OutboxEntry[]) => Promise<boolean>,
): Promise<boolean> {
  const ahead = last.get(name) ?? Promise.resolve(true);
  const fresh = entries.filter(({ seq }) => !taken.has(seq) && !sent.has(seq));
  if (fresh.length === 0) return ahead;
  for (const { seq } of fresh) taken.add(seq);
  const result = ahead
    .then(async (success) => {
      const published = success && (await send(fresh));
      if (published) for (const { seq } of fresh) sent.add(seq);
      return published;
    })
    .finally(() => {
      for (const { seq } of fresh) taken.delete(seq);
      if (last.get(name) === result) last.delete(name);
    });
  last.set(name, result);
  return result;
}

/** `entries` are of one lane. */
async function send(
  { publish, faults, onFailure }: OutboxOptions,
  documents: Documents<unknown>,
  id: string,
  entries: readonly OutboxEntry[],
): Promise<boolean> {
  const messages = entries.map(({ message }) => message);
  const failed = (doing: OutboxFailure['doing'], error: unknown) => {
    const { topic = '', key = '' } = messages[0] ?? {};
    onFailure?.({ collection: documents.name, id, topic, key, doing, error });
  };
  try {
    await publish(messages);
  } catch (error) {
    failed('publish', error);
    return false;
  }
  await faults.at('outbox.published', `${documents.name}/${id}`);
  try {
    const seqs = entries.map(({ seq }) => seq);
    await documents.clear(id, seqs);
  } catch (error) {
    if (!isAppError(error)) throw error;
    failed('clear', error);
    return true; // the bus has them; the relay will publish them once more
  }
  await faults.at('outbox.cleared', `${documents.name}/${id}`);
  return true;
}
