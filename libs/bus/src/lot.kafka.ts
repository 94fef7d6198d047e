import type { WireRecord } from '@tidegate/contracts';
import type { Batch, IHeaders, KafkaMessage } from 'kafkajs';
import type { RawRecord } from './bus.port.ts';
import { type Known, markText } from './resume-at.ts';

interface Entry {
  readonly offset: number;
  readonly message: KafkaMessage;
}

/** More is not asked for until half of it is handled. */
const MOST_RECORDS = 2_000;
const MOST_BYTES = 4_000_000;

/** One partition while one member of a group has it in hand: what was fetched, and how far it is handled. */
export class Lot {
  readonly topic: string;
  readonly partition: number;
  incarnation = 0;
  /** Where the group goes on; behind what is handled. */
  next = 0;
  isOpen = false;
  wasCommitted = false;
  isRewound = false;
  isPaused = false;
  /** When it was first seen that there are records which are not fetched yet. */
  missedSince: number | undefined;
  attempt: { readonly offset: number; readonly count: number } | undefined;
  carefulBelow = 0;
  low = 0;
  high = 0;
  #committed: string | undefined;
  #entries: Entry[] = [];
  #head = 0;
  #bytes = 0;
  #expected: number | undefined;
  #hasTaken = false;
  readonly #listeners = new Set<() => void>();

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** From here on what comes may begin with what was committed. */
  rejoin(): void {
    this.#hasTaken = false;
  }

  open({ next, incarnation }: Known): void {
    this.next = next;
    this.incarnation = incarnation;
    this.isOpen = true;
    this.#forget(next);
  }

  /** From what was expected to what the batch begins with, where it leaves something out. */
  passedOver({ messages }: Batch): { readonly from: number; readonly to: number } | undefined {
    const from = this.#expected;
    const to = Number(messages[0]?.offset ?? -1);
    return this.isOpen && from !== undefined && to > from ? { from, to } : undefined;
  }

  /** False if the log has begun again: then nothing of the batch is taken. */
  take({ messages, highWatermark }: Batch): boolean {
    const first = Number(messages[0]?.offset ?? -1);
    const expected = this.#expected ?? 0;
    const high = Number(highWatermark);
    if (this.isOpen && first < expected && (this.#hasTaken || high < expected)) return false;
    this.#hasTaken = true;
    this.missedSince = undefined;
    this.high = high;
    for (const message of messages) {
      const offset = Number(message.offset);
      if (offset < expected) continue;
      this.#entries.push({ offset, message });
      this.#bytes += message.value?.byteLength ?? 0;
      this.#expected = offset + 1;
    }
    return true;
  }

  get isFull(): boolean {
    return this.#length > MOST_RECORDS || this.#bytes > MOST_BYTES;
  }

  get isHalfEmpty(): boolean {
    return this.#length <= MOST_RECORDS / 2 && this.#bytes <= MOST_BYTES / 2;
  }

  read(from: number, limit: number, maxBytes: number): readonly RawRecord[] {
    const found: RawRecord[] = [];
    let bytes = 0;
    for (let at = this.#firstFrom(from); at < this.#entries.length; at += 1) {
      const entry = this.#entries[at];
      if (!entry || found.length >= limit || bytes >= maxBytes) break;
      found.push(this.#raw(entry));
      bytes += entry.message.value?.byteLength ?? 0;
    }
    return found;
  }

  move(next: number): void {
    if (next <= this.next) return;
    this.next = next;
    this.#forget(next);
  }

  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  wake(): void {
    for (const listener of this.#listeners) listener();
  }

  /** What is to be committed, if it is not yet. */
  commit(isInHand: boolean): { readonly next: number; readonly metadata: string } | undefined {
    const { incarnation, attempt, next } = this;
    const mark = { incarnation, isOpen: isInHand, ...(attempt ? { attempt } : {}) };
    const metadata = markText(mark);
    return this.#committed === `${next} ${metadata}` ? undefined : { next, metadata };
  }

  committed({ next, metadata }: { readonly next: number; readonly metadata: string }): void {
    this.#committed = `${next} ${metadata}`;
    this.wasCommitted = true;
  }

  /** Somebody else may have committed in the meantime. */
  forgetCommitted(): void {
    this.#committed = undefined;
  }

  get #length(): number {
    return this.#entries.length - this.#head;
  }

  #forget(below: number): void {
    for (let entry = this.#entries[this.#head]; entry && entry.offset < below;) {
      this.#bytes -= entry.message.value?.byteLength ?? 0;
      this.#head += 1;
      entry = this.#entries[this.#head];
    }
    if (this.#head > MOST_RECORDS || this.#head === this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    this.#expected = Math.max(this.#expected ?? 0, below);
  }

  #firstFrom(offset: number): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.offset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #raw({ offset, message }: Entry): RawRecord {
    const { topic, incarnation, partition } = this;
    return {
      origin: { topic, incarnation, partition, offset: BigInt(offset) },
      recordedAt: Number(message.timestamp),
      record: recordOf(message),
    };
  }
}

export const recordOf = ({ key, headers, value }: KafkaMessage): WireRecord => ({
  key: key === null ? null : key.toString(),
  headers: headersOf(headers ?? {}),
  value: value && new Uint8Array(value.buffer, value.byteOffset, value.byteLength),
});

/** Of a header that is there several times, the last one counts. */
function headersOf(headers: IHeaders): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) found[name] = last.toString();
  }
  return found;
}
