import type { Bus, View } from '@tidegate/bus';
import { type Message, type Publish, SdkAlive, type SdkHeartbeat } from '@tidegate/contracts';
import type { Rejection } from '@tidegate/kernel';
import { newMessage, type ServiceContext } from '@tidegate/platform';
import type { Adoption } from '../adoption/adoption.handler.ts';
import { environmentUnknown } from '../environment/environments.handler.ts';
import { unknown } from '../flag/flag-refusals.ts';
import type { FlagViews } from '../view/flag-views.handler.ts';
import { type Applied, Heartbeats, SILENT_AFTER_MS } from './heartbeats.ts';

export type InstancesContext = Pick<
  ServiceContext,
  'name' | 'clock' | 'ids' | 'traceparent' | 'log'
> & { readonly bus: { readonly publish: Publish } };

/** Which instances of applications are alive, and what they have applied: known to every replica, stored by none. */
export class Instances {
  readonly #context: InstancesContext;
  readonly #views: Pick<FlagViews, 'find'>;
  readonly #adoption: Pick<Adoption, 'reported' | 'tally'>;
  readonly #heartbeats = new Map<string, Heartbeats>();
  /** The bus did not take the last heartbeat: that was told. */
  #isAlone = false;

  constructor(
    context: InstancesContext,
    views: Pick<FlagViews, 'find'>,
    adoption: Pick<Adoption, 'reported' | 'tally'>,
  ) {
    this.#context = context;
    this.#views = views;
    this.#adoption = adoption;
  }

  /** An instance has said what it has applied: remembered here, and passed on to the other replicas. */
  async report(
    environment: string,
    { evaluations, unknown: missed, ...beat }: SdkHeartbeat,
  ): Promise<Rejection | undefined> {
    const flags = await this.#views.find(environment);
    if (!flags) return environmentUnknown(environment);
    // Counted by the replica that is told, and by no other.
    this.#adoption.reported(environment, flags, beat.application, { evaluations, unknown: missed });
    this.#of(environment).hear(beat, this.#context.clock.now());
    void this.#passOn(environment, beat);
    return undefined;
  }

  /** The instance does not wait for it: a bus that is away takes longer than an SDK does. */
  async #passOn(environment: string, beat: Omit<SdkHeartbeat, 'evaluations' | 'unknown'>) {
    try {
      const alive = newMessage(this.#context, SdkAlive, { environment, ...beat });
      await this.#context.bus.publish([alive]);
      this.#isAlone = false;
    } catch (error) {
      if (!this.#isAlone)
        this.#context.log.warn({ err: error }, 'heartbeats reach this replica only');
      this.#isAlone = true;
    }
  }

  /** A view, not a group: replicas in one group would each hear of some instances only. */
  hearOthers(bus: Pick<Bus, 'view'>): Promise<View> {
    const isAlive = (message: Message): message is SdkAlive => message.type === SdkAlive.type;
    return bus.view({
      topic: SdkAlive.topic,
      apply: (_key, message) => {
        if (message && isAlive(message)) this.#heard(message);
      },
    });
  }

  /** Another replica has heard it. What is old says nothing about now. */
  #heard({ data: { environment, ...beat }, metadata: { at, source } }: SdkAlive): void {
    if (this.#context.clock.now() - at > SILENT_AFTER_MS) return;
    this.#of(environment).hear(beat, at, this.#context.clock.now());
    // An SDK on the bus, which nobody else has told of: it does not say what it evaluates.
    if (source !== this.#context.name) this.#adoption.tally(environment).fetched();
  }

  /** Refused ENVIRONMENT_UNKNOWN or FLAG_UNKNOWN. */
  async applied(environment: string, key: string): Promise<Applied | Rejection> {
    const flags = await this.#views.find(environment);
    if (!flags) return environmentUnknown(environment);
    const flag = flags.get(key);
    if (!flag?.flag) return unknown({ environment, key });
    const now = this.#context.clock.now();
    return this.#of(environment).applied(flag, flags.changedAt(key), now, flags.digest);
  }

  forgetSilent(): void {
    for (const heartbeats of this.#heartbeats.values())
      heartbeats.forget(this.#context.clock.now());
  }

  #of(environment: string): Heartbeats {
    const heartbeats = this.#heartbeats.get(environment) ?? new Heartbeats();
    this.#heartbeats.set(environment, heartbeats);
    return heartbeats;
  }
}
