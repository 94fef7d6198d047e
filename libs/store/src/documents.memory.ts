import type { OutgoingMessage } from '@tidegate/contracts';
import { type MemoryDisk, type StoredDocument, under } from './disk.memory.ts';
import { checkCollection, fieldsOf, remember, upgraded, versionConflict } from './document.ts';
import type { Change, Collection, Document, Documents, Index } from './documents.port.ts';
import { messageText, stateText } from './size.ts';

const before = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

export class MemoryDocuments<S> implements Documents<S> {
  readonly name: string;
  readonly epoch: number;
  readonly #disk: MemoryDisk;
  readonly #collection: Collection<S>;
  readonly #all: Map<string, StoredDocument>;

  constructor(disk: MemoryDisk, collection: Collection<S>, epoch: number) {
    checkCollection(collection);
    this.name = collection.name;
    this.epoch = epoch;
    this.#disk = disk;
    this.#collection = collection;
    this.#all = under(disk.documents, collection.name, () => new Map());
    this.#refield();
  }

  async load(id: string): Promise<Document<S> | undefined> {
    this.#disk.reach();
    const stored = this.#all.get(id);
    return stored && this.#document(id, stored);
  }

  async save(id: string, change: Change<S>, expectedToken: number): Promise<Document<S>> {
    const state = stateText(`${this.name}/${id}`, change.state);
    const texts = change.outbox.map(messageText);
    const index = this.#collection.index(change.state);
    this.#disk.reach();
    const found = this.#all.get(id);
    const token = found?.token ?? 0;
    if (token !== expectedToken) throw versionConflict(this.name, id, expectedToken, token);
    const lastSeq = found?.lastSeq ?? 0;
    const owed = change.outbox.map(({ topic }, place) => ({
      seq: lastSeq + 1 + place,
      position: this.#disk.nextPosition(),
      isKill: topic === 'kills',
      message: texts[place] ?? '',
    }));
    const stored: StoredDocument = {
      state,
      version: change.version,
      token: token + 1,
      schemaVersion: this.#collection.schemaVersion,
      fields: fieldsOf(index),
      fieldsVersion: this.#collection.schemaVersion,
      dueAt: index.dueAt,
      claimedUntil: 0,
      handled: remember(found?.handled ?? [], change.mark),
      lastSeq: lastSeq + owed.length,
      outbox: [...(found?.outbox ?? []), ...owed],
    };
    this.#all.set(id, stored);
    return { ...this.#document(id, stored), state: change.state };
  }

  async clear(id: string, seqs: readonly number[]): Promise<void> {
    this.#disk.reach();
    const stored = this.#all.get(id);
    if (stored) stored.outbox = stored.outbox.filter(({ seq }) => !seqs.includes(seq));
  }

  async owing(limit: number): Promise<readonly string[]> {
    this.#disk.reach();
    return [...this.#all]
      .flatMap(([id, { outbox }]) => {
        const [first] = outbox;
        return first
          ? [{ id, since: first.position, kill: outbox.some(({ isKill }) => isKill) }]
          : [];
      })
      .sort((a, b) => Number(b.kill) - Number(a.kill) || a.since - b.since)
      .slice(0, limit)
      .map(({ id }) => id);
  }

  async list({
    where = {},
    after = '',
    limit,
  }: {
    where?: Index;
    after?: string | undefined;
    limit: number;
  }): Promise<readonly Document<S>[]> {
    this.#disk.reach();
    const wanted = Object.entries(fieldsOf(where));
    return [...this.#all]
      .filter(
        ([id, { fields }]) =>
          id > after && wanted.every(([field, value]) => fields[field] === value),
      )
      .sort(([a], [b]) => before(a, b))
      .slice(0, limit)
      .map(([id, stored]) => this.#document(id, stored));
  }

  async claimDue(now: number, forMs: number, limit: number): Promise<readonly string[]> {
    this.#disk.reach();
    return [...this.#all]
      .flatMap(([id, stored]) => {
        const { dueAt, claimedUntil } = stored;
        const isDue = dueAt !== undefined && dueAt <= now && claimedUntil <= now;
        return isDue ? [{ id, dueAt, stored }] : [];
      })
      .sort((a, b) => a.dueAt - b.dueAt || before(a.id, b.id))
      .slice(0, limit)
      .map(({ id, stored }) => {
        stored.claimedUntil = now + forMs;
        return id;
      });
  }

  /** Lists and claims find documents of an older schema version by the present fields; their states stay. */
  #refield(): void {
    const { schemaVersion, index } = this.#collection;
    for (const [id, stored] of this.#all)
      if (stored.fieldsVersion < schemaVersion) {
        const present = index(this.#state(id, stored));
        stored.fields = fieldsOf(present);
        stored.fieldsVersion = schemaVersion;
        stored.dueAt = present.dueAt;
      }
  }

  #state(id: string, { state, schemaVersion }: StoredDocument): S {
    return upgraded(this.#collection, id, JSON.parse(state), schemaVersion);
  }

  #document(id: string, stored: StoredDocument): Document<S> {
    return {
      id,
      epoch: this.epoch,
      version: stored.version,
      token: stored.token,
      state: this.#state(id, stored),
      handled: stored.handled,
      outbox: stored.outbox.map(({ seq, message }) => ({
        seq,
        message: JSON.parse(message) as OutgoingMessage,
      })),
    };
  }
}
