import {
  type ErrorCode,
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from '@openfeature/server-sdk';
import type { TidegateOptions } from '../options.ts';
import type { Tidegate, TidegateStatus } from '../tidegate.port.ts';
import { createTidegate } from '../tidegate.sse.ts';

export interface ProviderOptions {
  /** `flagMetadata.flagSetId` of every answer. Default: the environment, if the provider makes its own client; else none. */
  readonly flagSetId?: string;
}

/**
 * Tidegate behind OpenFeature's server API: `OpenFeature.setProviderAndWait(new TidegateProvider(…))`.
 * Given options it makes its own client and closes it; a given client stays its owner's, beside whose
 * synchronous answers it stands.
 */
export class TidegateProvider implements Provider {
  readonly metadata = { name: 'tidegate' } as const;
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();
  readonly #client: Tidegate;
  readonly #ownsClient: boolean;
  readonly #flagSet: { readonly flagSetId?: string };
  readonly #stops: (() => void)[] = [];
  readonly #changed = new Set<string>();
  #isInitialized = false;

  constructor(source: Tidegate | TidegateOptions, { flagSetId }: ProviderOptions = {}) {
    this.#ownsClient = !('details' in source);
    this.#client = 'details' in source ? source : createTidegate(source);
    const name = flagSetId ?? ('details' in source ? undefined : source.environment);
    this.#flagSet = name === undefined ? {} : { flagSetId: name };
  }

  /**
   * Resolves once flags are held, also old ones. OpenFeature itself tells of ready or error then, so this
   * emits neither; of a client that is not current it tells right after.
   */
  async initialize(): Promise<void> {
    this.#stops.push(
      this.#client.onStatus((status) => {
        this.#onStatus(status);
      }),
      this.#client.onAnswersChanged((keys) => {
        this.#onChange(keys);
      }),
    );
    try {
      await this.#client.ready();
      if (this.#client.status.state !== 'ready')
        setImmediate(() => this.#onStatus(this.#client.status));
    } finally {
      this.#isInitialized = true;
    }
  }

  async onClose(): Promise<void> {
    this.#isInitialized = false;
    for (const stop of this.#stops.splice(0)) stop();
    if (this.#ownsClient) await this.#client.close();
  }

  /** Tracking is not Tidegate's: what users do is counted by the metrics that guards look at. */
  track(): void {}

  async resolveBooleanEvaluation(
    key: string,
    defaultValue: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    return this.#resolve(key, defaultValue, context);
  }

  async resolveStringEvaluation(
    key: string,
    defaultValue: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<string>> {
    return this.#resolve(key, defaultValue, context);
  }

  async resolveNumberEvaluation(
    key: string,
    defaultValue: number,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<number>> {
    return this.#resolve(key, defaultValue, context);
  }

  async resolveObjectEvaluation<T extends JsonValue>(
    key: string,
    defaultValue: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    return this.#resolve(key, defaultValue, context);
  }

  #resolve<T>(key: string, defaultValue: T, context: EvaluationContext): ResolutionDetails<T> {
    const { errorCode, flagMetadata, ...rest } = this.#client.details(key, defaultValue, context);
    return {
      ...rest,
      flagMetadata: { ...this.#flagSet, ...flagMetadata },
      ...(errorCode === undefined ? {} : { errorCode: errorCode as ErrorCode }),
    };
  }

  #onStatus({ state, ageMs, lastError }: TidegateStatus): void {
    if (!this.#isInitialized) return;
    if (state === 'ready') this.events.emit(ProviderEvents.Ready, {});
    if (state === 'stale')
      this.events.emit(ProviderEvents.Stale, {
        message: `Nothing was heard for ${Math.round(ageMs ?? 0)} ms.`,
      });
    if (state === 'error')
      this.events.emit(ProviderEvents.Error, {
        message: lastError?.message ?? `Nothing was heard for ${Math.round(ageMs ?? 0)} ms.`,
      });
    if (state === 'closed')
      this.events.emit(ProviderEvents.Error, {
        message: 'The client is closed: it goes on answering from what it last knew.',
      });
  }

  /** Flags that change together are told in one event, with those that build on what changed. */
  #onChange(keys: readonly string[]): void {
    if (!this.#isInitialized) return;
    if (this.#changed.size === 0) queueMicrotask(this.#tellChanged);
    for (const key of keys) this.#changed.add(key);
  }

  readonly #tellChanged = (): void => {
    const flagsChanged = [...this.#changed];
    this.#changed.clear();
    this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
  };
}
