import { setTimeout } from 'node:timers/promises';
import { isAppError } from '@tidegate/kernel';
import type { ServiceContext } from '@tidegate/platform';
import type { Document } from '@tidegate/store';
import { allEnvironments, type Environments } from '../environment/environments.handler.ts';
import { splitFlagId } from '../flag/flags.ts';
import type { StoredFlag } from '../flag/stored-flag.ts';
import { splitSegmentId } from '../segment/segments.ts';
import type { StoredSegment } from '../segment/stored-segment.ts';
import type { WatchedHold } from '../silence/silence.ts';
import type { EnvironmentFlags } from './environment-flags.ts';
import { EnvironmentView, type ViewParts } from './environment-view.handler.ts';

export interface FlagViewParts extends ViewParts {
  readonly context: ViewParts['context'] & Pick<ServiceContext, 'log'>;
  readonly environments: Environments;
}

/** A reader may fail in silence while brokers answer: no change that is saved stays unseen for longer. */
const REREAD_MS = 10_000;

/** A flag that is to be closed when nobody looks after its rollout. */
export interface WatchedFlag {
  readonly environment: string;
  readonly key: string;
  readonly hold: WatchedHold;
}

/** The flags of every environment, as this process serves them. */
export class FlagViews {
  readonly #parts: FlagViewParts;
  readonly #views = new Map<string, EnvironmentView>();
  /** Why what is held cannot be trusted. */
  #storeBehind: unknown;
  /** The bus was away when last asked: what others changed meanwhile may not have reached us. */
  #wasAway = false;
  /** When the store was last read as a whole, ms since 1970. */
  #readAt: number;

  constructor(parts: FlagViewParts) {
    this.#parts = parts;
    this.#readAt = parts.context.clock.now();
  }

  /**
   * Reads all that there is, from the store and, as far as the bus answers in `patienceMs`, from the topics.
   * Thrown FLAG_STORE_BEHIND, and the codes of the store.
   */
  async start(patienceMs: number): Promise<void> {
    await this.#loadAll();
    const patience = new AbortController();
    const { signal } = patience;
    const following = Promise.all([...this.#views.values()].map((view) => this.#follow(view)));
    const inTime = await Promise.race([
      following.then(() => true),
      setTimeout(patienceMs, false, { signal, ref: false }).catch(() => true),
    ]);
    patience.abort();
    if (!inTime)
      this.#parts.context.log.warn(
        { patienceMs },
        'the bus does not answer: serving what the store has',
      );
    this.check();
  }

  /** The environment's flags, if this process holds them already. */
  held(environment: string): EnvironmentFlags | undefined {
    const view = this.#views.get(environment);
    return view?.isLoaded ? view.flags : undefined;
  }

  /** Undefined: there is no such environment. One that another process has just made is found. */
  async find(environment: string): Promise<EnvironmentFlags | undefined> {
    const held = this.held(environment);
    if (held) return held;
    if (!(await this.#parts.environments.has(environment))) return undefined;
    const opened = await this.#open(environment);
    void this.#follow(opened);
    return opened.flags;
  }

  watched(): readonly WatchedFlag[] {
    return [...this.#views].flatMap(([environment, { flags }]) =>
      [...flags.watched()].map(([key, hold]) => ({ environment, key, hold })),
    );
  }

  /** Takes over a document that this process has just saved. */
  saved(document: Document<StoredFlag>): void {
    const { environment } = splitFlagId(document.id);
    this.#views.get(environment)?.saved(document, this.#parts.context.clock.now());
  }

  savedSegment(document: Document<StoredSegment>): void {
    const { environment } = splitSegmentId(document.id);
    this.#views.get(environment)?.savedSegment(document, this.#parts.context.clock.now());
  }

  /** Finds new environments, reads the store again, often while the bus is away, gives the topics what they lack. */
  async refresh(): Promise<void> {
    await this.#loadAll();
    const isAway = await this.#isBusAway();
    if (isAway || this.#wasAway || this.#isOld()) await this.#reread();
    this.#wasAway = isAway;
    if (isAway) return;
    for (const view of this.#views.values())
      if (view.caughtUp) await view.republish();
      else void this.#follow(view);
  }

  /** Thrown FLAG_STORE_BEHIND. */
  check(): { environments: number; flags: number } {
    if (this.#storeBehind) throw this.#storeBehind;
    const views = [...this.#views.values()];
    const flags = views.reduce((sum, { flags }) => sum + flags.records().length, 0);
    return { environments: views.length, flags };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#views.values()].map((view) => view.close()));
  }

  #isOld(): boolean {
    return Math.abs(this.#parts.context.clock.now() - this.#readAt) >= REREAD_MS;
  }

  async #reread(): Promise<void> {
    this.#readAt = this.#parts.context.clock.now();
    for (const view of this.#views.values()) await view.loadStore();
  }

  async #loadAll(): Promise<void> {
    for await (const environment of allEnvironments(this.#parts.environments))
      await this.#open(environment);
  }

  /** The view stands in the map before the store is read: what is saved meanwhile reaches it. */
  async #open(environment: string): Promise<EnvironmentView> {
    const view = this.#views.get(environment) ?? new EnvironmentView(environment, this.#parts);
    this.#views.set(environment, view);
    if (!view.isLoaded) await view.loadStore();
    return view;
  }

  /** Never rejects: a bus that is away is asked again at the next refresh. */
  async #follow(view: EnvironmentView): Promise<void> {
    try {
      await view.follow();
    } catch (error) {
      if (isAppError(error, 'FLAG_STORE_BEHIND')) this.#storeBehind = error;
      const { environment } = view;
      this.#parts.context.log.warn(
        { err: error, environment },
        'the state topic cannot be followed',
      );
    }
  }

  async #isBusAway(): Promise<boolean> {
    try {
      await this.#parts.context.bus.check();
      return false;
    } catch (error) {
      if (isAppError(error, 'BUS_UNREACHABLE')) return true;
      throw error;
    }
  }
}
