import type { mongo } from 'mongoose';
import type { OutgoingMessage } from '@tidegate/contracts';
import { AppError } from '@tidegate/kernel';
import { fieldsOf, remember } from './document.ts';
import type { Change, Collection, Index, Mark, OutboxEntry } from './documents.port.ts';
import type { StoreErrorCode } from './errors.ts';
import { marksOf, withNewest } from './mark-chunks.ts';
import { messageText, stateText } from './size.ts';

/**
 * A document at rest. State, marks and messages are JSON text: what JSON can say comes back as it was, whatever its
 * keys and numbers, and no server looks into it. What servers look for stands beside it.
 */
export interface Row {
  readonly _id: string;
  readonly token: number;
  readonly version: number;
  /** Of `state`; the schema version whose fields `keys` holds is `keysOf`. */
  readonly schema: number;
  readonly state: string;
  /** The index fields, each as `["name",value]`. */
  readonly keys: readonly string[];
  readonly keysOf: number;
  readonly dueAt: number | null;
  readonly claimedUntil: number;
  /** Tells one claim from another. */
  readonly claim: string | null;
  readonly lastSeq: number;
  readonly lastMark: number;
  readonly marks: Readonly<Record<string, string>>;
  readonly outbox: Readonly<Record<string, { readonly at: number; readonly message: string }>>;
  /** The places in time of all that is in the outbox, and of the kills in it: added and removed with it. */
  readonly owed: readonly number[];
  readonly owedKills: readonly number[];
}

/** An outbox entry with its place in the order of all debts, and its size. */
export interface Owed extends OutboxEntry {
  readonly at: number;
  readonly bytes: number;
}

/** What a save must know of the document besides its token. */
export interface Known {
  readonly token: number;
  readonly lastSeq: number;
  readonly lastMark: number;
  readonly handled: readonly Mark[];
  readonly outbox: readonly Owed[];
}

export const unborn: Known = { token: 0, lastSeq: 0, lastMark: 0, handled: [], outbox: [] };

export const knownOf = ({ token, lastSeq, lastMark, marks, outbox }: Row): Known => ({
  token,
  lastSeq,
  lastMark,
  handled: marksOf(marks, lastMark),
  outbox: Object.entries(outbox)
    .map(([seq, { at, message }]) => ({
      seq: Number(seq),
      message: JSON.parse(message) as OutgoingMessage,
      at,
      bytes: Buffer.byteLength(message),
    }))
    .toSorted((a, b) => a.seq - b.seq),
});

export const isKill = ({ message }: OutboxEntry): boolean => message.topic === 'kills';

/** How index fields are stored and looked for: 1, "1" and true stay different, and names may hold anything. */
export const keysFrom = (index: Index): readonly string[] =>
  Object.entries(fieldsOf(index)).map((field) => JSON.stringify(field));

/** A change as it will be stored, taken down when `save` is called. */
export interface Draft {
  readonly version: number;
  readonly state: string;
  readonly index: Index;
  readonly mark: Mark | undefined;
  readonly messages: readonly { readonly message: OutgoingMessage; readonly text: string }[];
}

/** Thrown STORE_DOCUMENT_TOO_LARGE for the state or one message. */
export const draftOf = <S>(
  { name, index }: Collection<S>,
  id: string,
  { state, version, mark, outbox }: Change<S>,
): Draft => ({
  version,
  mark,
  state: stateText(`${name}/${id}`, state),
  index: index(state),
  messages: outbox.map((message) => ({ message, text: messageText(message) })),
});

/** What the document will be known by once the draft is saved. `place` gives the next place in the order of debts. */
export const grown = (known: Known, { mark, messages }: Draft, place: () => number): Known => ({
  token: known.token + 1,
  lastSeq: known.lastSeq + messages.length,
  lastMark: known.lastMark + (mark ? 1 : 0),
  handled: remember(known.handled, mark),
  outbox: [
    ...known.outbox,
    ...messages.map(({ message, text }, n) => ({
      seq: known.lastSeq + 1 + n,
      message,
      at: place(),
      bytes: Buffer.byteLength(text),
    })),
  ],
});

/** The parts of a row that a save sets, adds and takes away. */
export interface RowChange {
  readonly set: Omit<Row, '_id' | 'marks' | 'outbox' | 'owed' | 'owedKills'>;
  readonly marks: Readonly<Record<string, string>>;
  readonly forget: string | undefined;
  readonly outbox: Row['outbox'];
  readonly owed: readonly number[];
  readonly owedKills: readonly number[];
}

export function rowChange(
  { token, lastSeq, lastMark, handled, outbox }: Known,
  { version, state, index, mark, messages }: Draft,
  schema: number,
): RowChange {
  const chunk = mark && withNewest(handled, lastMark);
  const added = messages.length === 0 ? [] : outbox.slice(-messages.length);
  return {
    set: {
      token,
      version,
      schema,
      state,
      lastSeq,
      lastMark,
      keys: keysFrom(index),
      keysOf: schema,
      dueAt: index.dueAt ?? null,
      claimedUntil: 0,
      claim: null,
    },
    marks: chunk ? { [chunk.put[0]]: chunk.put[1] } : {},
    forget: chunk?.drop,
    outbox: Object.fromEntries(
      added.map(({ seq, at }, n) => [seq, { at, message: messages[n]?.text ?? '' }]),
    ),
    owed: added.map(({ at }) => at),
    owedKills: added.filter(isKill).map(({ at }) => at),
  };
}

/** The same change to a row that is there. */
export function updateOf({
  set,
  marks,
  forget,
  outbox,
  owed,
  owedKills,
}: RowChange): mongo.UpdateFilter<Row> {
  const inside = (field: string, parts: object): object =>
    Object.fromEntries(Object.entries(parts).map(([key, part]) => [`${field}.${key}`, part]));
  return {
    $set: { ...set, ...inside('marks', marks), ...inside('outbox', outbox) },
    $push: { owed: { $each: [...owed] }, owedKills: { $each: [...owedKills] } },
    ...(forget === undefined ? {} : { $unset: { [`marks.${forget}`]: '' } }),
  };
}

const MB = 1_048_576;

/** Of the 16 MB that a document may have as BSON; what is left is for marks and fields. */
const MOST_BYTES = 15 * MB;

/** Thrown STORE_DOCUMENT_TOO_LARGE when state and outbox together are more than a server takes. */
export function checkSize(what: string, { state }: Draft, outbox: readonly Owed[]): void {
  const owed = outbox.reduce((sum, { bytes }) => sum + bytes, 0);
  if (owed + state.length * 3 <= MOST_BYTES) return;
  const bytes = owed + Buffer.byteLength(state);
  if (bytes > MOST_BYTES)
    throw new AppError<StoreErrorCode>(
      'STORE_DOCUMENT_TOO_LARGE',
      `${what} has ${bytes} bytes with the ${outbox.length} messages that it still owes; at most ${MOST_BYTES} can be stored.`,
      { data: { bytes, limit: MOST_BYTES } },
    );
}
