import type { View } from '@tidegate/bus';
import { type FlagRecord, FlagState, type Message, stateTopic } from '@tidegate/contracts';
import { AppError, isNewer, type Revision } from '@tidegate/kernel';
import { newMessage, type ServiceContext } from '@tidegate/platform';
import type { Document, Documents } from '@tidegate/store';
import type { flagServiceErrorCodes } from '../errors.ts';
import { flagId, recordOf } from '../flag/flags.ts';
import type { StoredFlag } from '../flag/stored-flag.ts';
import { EnvironmentFlags } from './environment-flags.ts';

const PAGE = 500;
/** A change is published by whoever made it; only what the topic lacks after this long is published again. */
const SETTLE_MS = 2_000;

export interface ViewParts {
  readonly context: Pick<ServiceContext, 'name' | 'bus' | 'clock' | 'ids' | 'traceparent'>;
  readonly flags: Documents<StoredFlag>;
}

/**
 * One environment's flags, held against its two sources: the store, which is the truth, and the topic that
 * everyone else reads. Whichever has the newer state of a flag wins here, and the topic is given what it lacks.
 */
export class EnvironmentView {
  readonly flags = new EnvironmentFlags();
  readonly environment: string;
  readonly #parts: ViewParts;
  /** What stands in the topic, per key: its last record, which need not be its newest. */
  readonly #inTopic = new Map<string, Revision | undefined>();
  /** Records newer than the store was when it was read; until the topic is read to its end. */
  #doubtful: Map<string, FlagRecord> | undefined = new Map();
  #view: View | undefined;
  #following: Promise<void> | undefined;
  #isLoaded = false;

  constructor(environment: string, parts: ViewParts) {
    this.environment = environment;
    this.#parts = parts;
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
    const prefix = flagId(this.environment, '');
    for (let after = prefix; ;) {
      const page = await this.#parts.flags.list({ after, limit: PAGE });
      const ours = page.filter(({ id }) => id.startsWith(prefix));
      for (const document of ours) this.saved(document);
      after = ours.at(-1)?.id ?? '';
      if (ours.length < PAGE) break;
    }
    this.#isLoaded = true;
  }

  /** @param at when it was saved, if just now */
  saved({ id, epoch, version, state }: Document<StoredFlag>, at?: number): void {
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
    if (message && message.type !== FlagState.type) return;
    const state = message as FlagState | undefined;
    const revision = state?.metadata.revision;
    this.#inTopic.set(key, revision);
    if (!state || !revision) return;
    const record = { key, ...revision, flag: state.data.flag };
    const held = this.flags.get(key);
    if (this.#doubtful && (!held || isNewer(record, held))) this.#doubtful.set(key, record);
    else this.flags.merge(record, state.metadata.at);
  }

  /** Another replica may have changed flags since the store was read, so each is looked up before it is believed. */
  async #settleDoubts(): Promise<void> {
    while (this.#doubtful && this.#doubtful.size > 0)
      for (const record of this.#doubtful.values()) {
        const document = await this.#parts.flags.load(flagId(this.environment, record.key));
        if (document ? isNewer(record, document) : !this.#isOldTombstone(record))
          throw storeBehind(this.environment, record, document);
        if (document) this.saved(document);
        else this.flags.merge(record);
        if (this.#doubtful.get(record.key) === record) this.#doubtful.delete(record.key);
      }
    this.#doubtful = undefined;
  }

  /** Of a flag that was made and deleted after the backup was taken: there is nothing of it to recover. */
  #isOldTombstone({ epoch, flag }: FlagRecord): boolean {
    return flag === null && epoch < this.#parts.flags.epoch;
  }

  /** Publishes each flag whose newest state the topic lacks: a late publish came after it, or none came at all. */
  async republish(): Promise<number> {
    const { context } = this.#parts;
    const now = context.clock.now();
    const lacking = this.flags.records().filter((record) => {
      const last = this.#inTopic.get(record.key);
      const changedAt = this.flags.changedAt(record.key) ?? Number.NEGATIVE_INFINITY;
      return (!last || isNewer(record, last)) && now - changedAt > SETTLE_MS;
    });
    if (!this.caughtUp || lacking.length === 0) return 0;
    await context.bus.publish(lacking.map((record) => this.#stateOf(record)));
    return lacking.length;
  }

  #stateOf({ key, flag, epoch, version }: FlagRecord) {
    const { environment } = this;
    const state = newMessage(this.#parts.context, FlagState, { environment, key, flag });
    const metadata = { ...state.metadata, revision: { epoch, version } };
    return { ...state, topic: stateTopic(environment), metadata };
  }

  async close(): Promise<void> {
    await this.#view?.close();
  }
}

const storeBehind = (
  environment: string,
  { key, epoch, version }: FlagRecord,
  document: Revision | undefined,
): AppError<(typeof flagServiceErrorCodes)[number]> =>
  new AppError(
    'FLAG_STORE_BEHIND',
    `The bus has version ${version} (epoch ${epoch}) of flag ${key} in ${environment}, the store ` +
      (document ? `only version ${document.version} (epoch ${document.epoch}). ` : 'has none. ') +
      'An older backup of the store was put back: run "tidegate store restored", which raises its epoch, and start again.',
    { data: { environment, key } },
  );
