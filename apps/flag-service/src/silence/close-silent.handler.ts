import type { Bus, View } from '@tidegate/bus';
import { DisableFlag, GatekeeperAlive, type Message } from '@tidegate/contracts';
import { isAppError } from '@tidegate/kernel';
import { newMessage, type ServiceContext } from '@tidegate/platform';
import type { Documents } from '@tidegate/store';
import type { ChangeFlag } from '../flag/change-flag.handler.ts';
import { flagId } from '../flag/flags.ts';
import { isLiving, type StoredFlag } from '../flag/stored-flag.ts';
import type { FlagViews, WatchedFlag } from '../view/flag-views.handler.ts';
import { listen, type Listening, mayJudge } from './listening.ts';
import { SharedSigns, type StoredSigns } from './shared-signs.handler.ts';
import { SignsOfLife } from './signs-of-life.ts';
import { closedBecause, isSilent, isWatched, silentFor, type WatchedHold } from './silence.ts';

export interface CloseSilentParts {
  readonly context: Pick<ServiceContext, 'name' | 'clock' | 'ids' | 'traceparent' | 'log'> & {
    readonly bus: Pick<Bus, 'view' | 'check'>;
  };
  readonly views: Pick<FlagViews, 'watched'>;
  readonly flags: Pick<Documents<StoredFlag>, 'load'>;
  readonly signs: Documents<StoredSigns>;
  readonly changeFlag: ChangeFlag;
}

/** Closes the stages that ask for it when metrics-gatekeeper has not looked after their rollouts for too long. */
export class CloseSilent {
  readonly #parts: CloseSilentParts;
  readonly #signs = new SignsOfLife();
  readonly #shared: SharedSigns;
  readonly #closing = new Map<string, Promise<void>>();
  #listening: Listening | undefined;
  #view: View | undefined;
  #isCaughtUp = false;

  constructor(parts: CloseSilentParts) {
    this.#parts = parts;
    this.#shared = new SharedSigns(parts.signs, parts.context.clock, this.#signs);
  }

  /** Every second. Rejects with the codes of the store. */
  async round(): Promise<void> {
    const { context, views } = this.#parts;
    const now = context.clock.now();
    this.#listening = listen(this.#listening, now);
    await this.#hear();
    const watched = views.watched();
    if (watched.length === 0) return;
    await this.#shared.tell(watched.map(({ hold }) => hold));
    if (!mayJudge(this.#listening) || !watched.some(({ hold }) => this.#isSilent(hold, now)))
      return;
    if (!(await this.#hasHeardAll())) return;
    await this.#shared.learn();
    for (const flag of watched) if (this.#isSilent(flag.hold, now)) await this.#close(flag);
  }

  /** Resolves once what is being closed is closed, and told as far as the bus takes it. */
  async settled(): Promise<void> {
    await Promise.all(this.#closing.values());
  }

  async stop(): Promise<void> {
    await this.settled();
    await this.#view?.close();
  }

  #isSilent(hold: WatchedHold, now: number): boolean {
    return isSilent(hold, this.#signs.heardAt(hold.rollout.id), now);
  }

  /** A view, not a group: each replica hears everything. */
  async #hear(): Promise<void> {
    if (this.#view) return;
    const { bus, clock } = this.#parts.context;
    const isAlive = (message: Message): message is GatekeeperAlive =>
      message.type === GatekeeperAlive.type;
    try {
      this.#view = await bus.view({
        topic: GatekeeperAlive.topic,
        apply: (_key, message) => {
          if (message && isAlive(message))
            this.#signs.hear(message.data.lookedAfter ?? {}, clock.now());
        },
      });
    } catch (error) {
      if (!isAppError(error, 'BUS_UNREACHABLE')) throw error;
      return; // asked again in the next round
    }
    this.#view.caughtUp.then(
      () => {
        this.#isCaughtUp = true;
      },
      () => undefined, // closed before: nobody judges any more
    );
  }

  /** What was said before this process began is read first, unless the bus is away: then nothing more can be heard. */
  async #hasHeardAll(): Promise<boolean> {
    if (this.#isCaughtUp) return true;
    try {
      await this.#parts.context.bus.check();
      return false;
    } catch (error) {
      if (isAppError(error, 'BUS_UNREACHABLE')) return true;
      throw error;
    }
  }

  /** The store has the last word: a view may not know yet that somebody else has closed or released the flag. */
  async #close({ environment, key }: WatchedFlag): Promise<void> {
    const id = flagId(environment, key);
    const flag = (await this.#parts.flags.load(id))?.state;
    const now = this.#parts.context.clock.now();
    if (!flag || !isLiving(flag) || flag.status === 'disabled' || this.#closing.has(id)) return;
    const { hold } = flag;
    if (!isWatched(hold) || !this.#isSilent(hold, now)) return;
    const reason = closedBecause(hold, silentFor(hold, this.#signs.heardAt(hold.rollout.id), now));
    // Not waited for: while the bus is away the answer takes seconds, and the next flag must not wait for it.
    const closing = this.#disable({ environment, key, reason, rollout: hold.rollout });
    this.#closing.set(id, closing);
    void closing.finally(() => this.#closing.delete(id));
  }

  /** Never rejects: what fails is tried again in the next round. */
  async #disable(data: DisableFlag['data']): Promise<void> {
    const { context, changeFlag } = this.#parts;
    const { reason, environment, key: flag } = data;
    try {
      const { answer } = await changeFlag(newMessage(context, DisableFlag, data));
      if (answer.outcome === 'changed')
        context.log.error(
          { environment, flag, reason },
          'a stage that nobody looked after is closed',
        );
    } catch (err) {
      context.log.error(
        { environment, flag, reason, err },
        'a stage that nobody looks after could not be closed; it is tried again',
      );
    }
  }
}
