import { setImmediate } from 'node:timers/promises';
import type { View } from '@tidegate/bus';
import {
  FlagState,
  type Message,
  SegmentState,
  stateTopic,
  type ViewRecord,
} from '@tidegate/contracts';
import type { MistypedPort } from '@tidegate/evaluation';
import { AppError, isNewer, type Revision } from '@tidegate/kernel';
import { newMessage, type ServiceContext } from '@tidegate/platform';
import type { Document } from '@tidegate/store';
import type { flagServiceErrorCodes } from '../errors.ts';
import { flagId } from '../flag/flags.ts';
import type { StoredFlag } from '../flag/stored-flag.ts';
import type { StoredSegment } from '../segment/stored-segment.ts';
import { EnvironmentFlags } from './environment-flags.ts';
import {
  flagKind,
  isSegment,
  isTombstone,
  type Kind,
  nounOf,
  readState,
  segmentKind,
  stateKey,
  type Stored,
} from './kinds.ts';

const PAGE = 500;
/** A change is published by whoever made it; only what the topic lacks after this long is published again. */
const SETTLE_MS = 2_000;

export interface ViewParts extends Stored {
  readonly context: Pick<ServiceContext, 'name' | 'bus' | 'clock' | 'ids' | 'traceparent'>;
  /** Told of comparisons that cannot be made while flags are evaluated here. */
  readonly onMistyped?: MistypedPort;
}

/**
 * One environment's flags and segments, held against their two sources: the store, which is the truth, and the topic
 * that everyone else reads. Whichever has the newer state of one wins here, and the topic is given what it lacks.
 */
export class EnvironmentView {
  readonly flags: EnvironmentFlags;
  readonly environment: string;
  readonly #parts: ViewParts;
  /** What stands in the topic, per key: its last record, which need not be its newest. */
  readonly #inTopic = new Map<string, Revision | undefined>();
  /** Records newer than the store was when it was read; until the topic is read to its end. */
  #doubtful: Map<string, ViewRecord> | undefined = new Map();
  #view: View | undefined;
  #following: Promise<void> | undefined;
  #isLoaded = false;

  constructor(environment: string, parts: ViewParts) {
    this.environment = environment;
    this.#parts = parts;
    const { onMistyped } = parts;
    this.flags = new EnvironmentFlags(onMistyped ? { onMistyped } : {});
  }

  /** True once the topic has been read to its end, and agrees with the store. */
  get caughtUp(): boolean {
    return this.#doubtful === undefined;
  }

  /** True once the store has been read: then everything that was ever answered for is held. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  async loadStore(): Promise<void> {
    await this.#load(segmentKind(this.#parts));
    await this.#load(flagKind(this.#parts));
    this.#isLoaded = true;
  }

  async #load<S>(kind: Kind<S>): Promise<void> {
    const prefix = flagId(this.environment, '');
    for (let after = prefix; ;) {
      const page = await kind.documents.list({ after, limit: PAGE });
      const ours = page.filter(({ id }) => id.startsWith(prefix));
      for (const document of ours) this.#take(kind, document);
      after = ours.at(-1)?.id ?? '';
      if (ours.length < PAGE) return;
      await setImmediate(); // an embedded store answers at once: others get a turn between two pages
    }
  }

  /** @param at when it was saved, if just now */
  saved(flag: Document<StoredFlag>, at?: number): void {
    this.#take(flagKind(this.#parts), flag, at);
  }

  savedSegment(segment: Document<StoredSegment>, at?: number): void {
    this.#take(segmentKind(this.#parts), segment, at);
  }

  #take<S>({ recordOf }: Kind<S>, { id, epoch, version, state }: Document<S>, at?: number): void {
    const record = recordOf(id, { epoch, version }, state);
    if (record) this.flags.merge(record, at);
  }

  /**
   * Resolves once the topic is read to its end; asked again meanwhile, it goes on waiting.
   * Thrown FLAG_STORE_BEHIND when the topic has what the store never had, and the bus's own codes.
   */
  async follow(): Promise<void> {
    this.#following ??= this.#catchUp();
    try {
      await this.#following;
    } finally {
      this.#following = undefined;
    }
  }

  async #catchUp(): Promise<void> {
    const view = await this.#opened();
    try {
      await view.caughtUp;
    } catch (error) {
      this.#view = undefined;
      await view.close();
      throw error;
    }
    await this.#settleDoubts();
  }

  async #opened(): Promise<View> {
    this.#view ??= await this.#parts.context.bus.view({
      topic: stateTopic(this.environment),
      apply: (key, message) => this.#read(key, message),
    });
    return this.#view;
  }

  #read(key: string, message: Message | undefined): void {
    const record = message && readState(message);
    if (message && !record) return;
    this.#inTopic.set(key, record && { epoch: record.epoch, version: record.version });
    if (!message || !record) return;
    const held = this.flags.holds(record);
    if (this.#doubtful && (!held || isNewer(record, held))) this.#doubtful.set(key, record);
    else this.flags.merge(record, message.metadata.at);
  }

  /** Another replica may have changed them since the store was read, so each is looked up before it is believed. */
  async #settleDoubts(): Promise<void> {
    while (this.#doubtful && this.#doubtful.size > 0)
      for (const [key, record] of this.#doubtful) {
        if (isSegment(record)) await this.#settle(segmentKind(this.#parts), record);
        else await this.#settle(flagKind(this.#parts), record);
        if (this.#doubtful.get(key) === record) this.#doubtful.delete(key);
      }
    this.#doubtful = undefined;
  }

  async #settle<S>(kind: Kind<S>, record: ViewRecord): Promise<void> {
    const document = await kind.documents.load(flagId(this.environment, record.key));
    const isLost = document ? isNewer(record, document) : !this.#isOldTombstone(record);
    if (isLost) throw storeBehind(this.environment, record, document);
    if (document) this.#take(kind, document);
    else this.flags.merge(record);
  }

  /** Of what was made and deleted after the backup was taken: there is nothing of it to recover. */
  #isOldTombstone(record: ViewRecord): boolean {
    return isTombstone(record) && record.epoch < this.#parts.flags.epoch;
  }

  /** Publishes each newest state that the topic lacks: a late publish came after it, or none came at all. */
  async republish(): Promise<number> {
    const { context } = this.#parts;
    const now = context.clock.now();
    const lacking = this.flags.all().filter((record) => {
      const last = this.#inTopic.get(stateKey(record));
      const changedAt = this.flags.changedAt(stateKey(record)) ?? Number.NEGATIVE_INFINITY;
      return (!last || isNewer(record, last)) && now - changedAt > SETTLE_MS;
    });
    if (!this.caughtUp || lacking.length === 0) return 0;
    await context.bus.publish(lacking.map((record) => this.#stateOf(record)));
    return lacking.length;
  }

  #stateOf(record: ViewRecord) {
    const { environment } = this;
    const { context } = this.#parts;
    const { key, epoch, version } = record;
    const state = isSegment(record)
      ? newMessage(context, SegmentState, { environment, key, segment: record.segment })
      : newMessage(context, FlagState, { environment, key, flag: record.flag });
    const metadata = { ...state.metadata, revision: { epoch, version } };
    return { ...state, topic: stateTopic(environment), metadata };
  }

  async close(): Promise<void> {
    await this.#view?.close();
  }
}

const storeBehind = (
  environment: string,
  record: ViewRecord,
  document: Revision | undefined,
): AppError<(typeof flagServiceErrorCodes)[number]> =>
  new AppError(
    'FLAG_STORE_BEHIND',
    `The bus has version ${record.version} (epoch ${record.epoch}) of ${nounOf(record)} ${record.key} in ${environment}, the store ` +
      (document ? `only version ${document.version} (epoch ${document.epoch}). ` : 'has none. ') +
      'An older backup of the store was put back: run "tidegate store restored", which raises its epoch, and start again.',
    { data: { environment, key: record.key } },
  );
