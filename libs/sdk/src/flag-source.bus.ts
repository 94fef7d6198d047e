import type { Bus, View } from '@tidegate/bus';
import {
  FlagState,
  type Message,
  type OutgoingMessage,
  SdkAlive,
  SegmentState,
  stateTopic,
  type ViewRecord,
} from '@tidegate/contracts';
import { AppError, messageOf } from '@tidegate/kernel';
import type { SdkErrorCode } from './errors.ts';
import type { FlagSink, FlagSource } from './flag-source.port.ts';
import { concernsRollout, type FlagChange } from './local-flags.ts';

export interface BusSourceOptions {
  readonly bus: Bus;
  readonly environment: string;
  readonly application: string;
  readonly instance: string;
  readonly heartbeatEveryMs: number;
  readonly newId: () => string;
  readonly now: () => number;
}

/** Flags from the compacted state topic, and what is applied told on the heartbeat topic. Closes its bus. */
export class BusFlagSource implements FlagSource {
  readonly #options: BusSourceOptions;
  readonly #sink: FlagSink;
  readonly #timer: NodeJS.Timeout;
  #view: View | undefined;
  #opening: Promise<void>;
  #isClosed = false;
  /** Until all that stood in the topic has been read. */
  #held: ViewRecord[] | undefined = [];

  constructor(options: BusSourceOptions, sink: FlagSink) {
    this.#options = options;
    this.#sink = sink;
    options.bus.onReport((report) => {
      if (report.kind === 'lagging') this.#failed(new Error(report.message));
    });
    this.#opening = this.#open();
    this.#timer = setInterval(() => this.#tick(), options.heartbeatEveryMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#opening;
    await this.#view?.close();
    await this.#options.bus.close();
  }

  /** A bus that was away at first is asked again. */
  #tick(): void {
    if (this.#view) void this.#beat();
    else this.#opening = this.#opening.then(() => (this.#view ? undefined : this.#open()));
  }

  async #open(): Promise<void> {
    const { bus, environment } = this.#options;
    if (this.#isClosed) return;
    this.#held = [];
    try {
      const view = await bus.view({
        topic: stateTopic(environment),
        apply: (_key, message) => this.#take(message),
      });
      this.#view = view;
      void view.caughtUp.then(
        () => this.#synced(),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      this.#failed(error);
    }
  }

  #take(message: Message | undefined): void {
    const record = message && recordOf(message);
    if (!record) return;
    if (this.#held) this.#held.push(record);
    else this.#told(this.#sink.apply([record]));
  }

  #synced(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#sink.sync(held);
    void this.#beat();
  }

  #told(changes: readonly FlagChange[]): void {
    if (changes.some(concernsRollout)) void this.#beat();
  }

  /** While the topic is read, what is held is current: changes would have come. That the bus takes records is not enough. */
  async #beat(): Promise<void> {
    if (this.#held) return;
    try {
      await this.#options.bus.publish([this.#alive()]);
      if (this.#view?.isReading) this.#sink.heard();
    } catch (error) {
      this.#failed(error);
    }
  }

  #alive(): OutgoingMessage {
    const { environment, application, instance, newId, now } = this.#options;
    const { digest } = this.#sink;
    const applied = this.#sink.applied();
    const told = digest === undefined ? {} : { digest };
    const data = { environment, application, instance, applied, ...told };
    const id = newId();
    const source = `sdk/${application}`;
    const metadata = { id, source, at: now(), actor: instance, correlationId: id };
    return { type: SdkAlive.type, topic: SdkAlive.topic, key: SdkAlive.key(data), data, metadata };
  }

  #failed(cause: unknown): void {
    const message = `The bus did not give or take what was asked: ${messageOf(cause)}`;
    const error: AppError<SdkErrorCode> = new AppError('SDK_BUS_FAILED', message, {
      retryable: true,
      cause,
    });
    this.#sink.failed(error);
  }
}

/** Undefined: a message that this release does not know. */
function recordOf({ type, data, metadata: { revision } }: Message): ViewRecord | undefined {
  if (!revision) return undefined;
  const { key } = data as FlagState['data'] | SegmentState['data'];
  if (type === FlagState.type) return { key, ...revision, flag: (data as FlagState['data']).flag };
  if (type === SegmentState.type)
    return { key, ...revision, segment: (data as SegmentState['data']).segment };
  return undefined;
}
