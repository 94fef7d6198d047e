import type { Details } from '@tidegate/evaluation';
import {
  type ErrorCode,
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from '@openfeature/server-sdk';
import type { TidegateOptions } from './options.ts';
import type { Tidegate, TidegateStatus } from './tidegate.port.ts';
import { createTidegate } from './tidegate.sse.ts';

/**
 * Tidegate behind OpenFeature's server API: `OpenFeature.setProviderAndWait(new TidegateProvider(…))`.
 * Given options it makes its own client and closes it; a given client stays its owner's.
 */
export class TidegateProvider implements Provider {
  readonly metadata = { name: 'tidegate' } as const;
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();
  readonly #client: Tidegate;
  readonly #ownsClient: boolean;
  readonly #stops: (() => void)[] = [];
  readonly #changed = new Set<string>();
  #isInitialized = false;

  constructor(source: Tidegate | TidegateOptions) {
    this.#ownsClient = !('details' in source);
    this.#client = 'details' in source ? source : createTidegate(source);
  }

  /** Resolves once flags are held. OpenFeature itself tells of ready or error then, so this emits neither. */
  async initialize(): Promise<void> {
    this.#stops.push(
      this.#client.onStatus((status) => {
        this.#onStatus(status);
      }),
      this.#client.onChange('*', ({ key }) => {
        this.#onChange(key);
      }),
    );
    try {
      await this.#client.ready();
    } finally {
      this.#isInitialized = true;
    }
  }

  async onClose(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    if (this.#ownsClient) await this.#client.close();
  }

  async resolveBooleanEvaluation(
    key: string,
    defaultValue: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    return resolution(this.#client.details(key, defaultValue, context));
  }

  async resolveStringEvaluation(
    key: string,
    defaultValue: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<string>> {
    return resolution(this.#client.details(key, defaultValue, context));
  }

  async resolveNumberEvaluation(
    key: string,
    defaultValue: number,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<number>> {
    return resolution(this.#client.details(key, defaultValue, context));
  }

  async resolveObjectEvaluation<T extends JsonValue>(
    key: string,
    defaultValue: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    return resolution(this.#client.details(key, defaultValue, context));
  }

  #onStatus({ state, ageMs }: TidegateStatus): void {
    if (!this.#isInitialized) return;
    if (state === 'ready') this.events.emit(ProviderEvents.Ready, {});
    if (state === 'stale')
      this.events.emit(ProviderEvents.Stale, {
        message: `Nothing was heard for ${Math.round(ageMs ?? 0)} ms.`,
      });
  }

  /** Flags that change together, as after a new connection, are told in one event. */
  #onChange(key: string): void {
    if (!this.#isInitialized) return;
    if (this.#changed.size === 0) queueMicrotask(this.#tellChanged);
    this.#changed.add(key);
  }

  readonly #tellChanged = (): void => {
    const flagsChanged = [...this.#changed];
    this.#changed.clear();
    this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
  };
}

function resolution<T>(details: Details<T>): ResolutionDetails<T> {
  const { errorCode, flagMetadata, ...rest } = details;
  return {
    ...rest,
    flagMetadata: { ...flagMetadata },
    ...(errorCode === undefined ? {} : { errorCode: errorCode as ErrorCode }),
  };
}
