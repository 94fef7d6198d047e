import {
  AsyncLocalStorageTransactionContextPropagator,
  type Client,
  type EvaluationContext,
  type EvaluationDetails,
  type FlagEvaluationOptions,
  type FlagValue,
  type Hook,
  type JsonValue,
  OpenFeature,
  type Provider,
} from '@openfeature/server-sdk';
import { clientOf, providerOf, serveFlags } from './serving.ts';

export type Details = EvaluationDetails<FlagValue>;

const SILENT = { error() {}, warn() {}, info() {}, debug() {} };

/** What one scenario has set up and seen. */
export class World {
  readonly invocation: Record<string, EvaluationContext[string]> = {};
  readonly transaction: Record<string, string> = {};
  readonly clientContext: Record<string, string> = {};
  levels: readonly string[] = [];
  /** Contexts that the provider was asked with. */
  readonly asked: EvaluationContext[] = [];
  readonly hooked: { stage: string; details?: Details }[] = [];
  flag = { type: 'boolean', key: 'boolean-flag', fallback: 'false' };
  options: FlagEvaluationOptions = {};
  pending: Promise<Details> | undefined;
  #details: Details | undefined;
  readonly #closing: (() => Promise<void>)[] = [];

  readonly onClose = (close: () => Promise<void>): void => {
    this.#closing.unshift(close);
  };

  /** One for the whole scenario: it keeps its context. */
  readonly client: Client = OpenFeature.getClient();

  get details(): Details {
    if (!this.#details) throw new Error('No flag was evaluated.');
    return this.#details;
  }

  async register(status: string): Promise<void> {
    // It logs that a provider could not be initialized.
    OpenFeature.setLogger(SILENT);
    await OpenFeature.clearProviders();
    const url = await serveFlags(this.onClose, status === 'not ready');
    const client = clientOf(url, this.onClose, status === 'stale' ? 200 : 30_000);
    if (status === 'not ready') OpenFeature.setProvider(providerOf(client));
    else if (status === 'error') {
      await client.close();
      // That it could not be initialized is what the scenario is about.
      await OpenFeature.setProviderAndWait(providerOf(client)).catch(() => undefined);
    } else await OpenFeature.setProviderAndWait(this.#overheard(providerOf(client)));
  }

  evaluate(): Promise<Details> {
    const { type, key, fallback } = this.flag;
    const { client, invocation, options } = this;
    const value: unknown = type === 'string' ? fallback : JSON.parse(fallback);
    switch (type) {
      case 'boolean':
        return client.getBooleanDetails(key, value as boolean, invocation, options);
      case 'string':
        return client.getStringDetails(key, value as string, invocation, options);
      case 'integer':
      case 'float':
        return client.getNumberDetails(key, value as number, invocation, options);
      default:
        return client.getObjectDetails(key, value as JsonValue, invocation, options);
    }
  }

  async evaluated(details = this.evaluate()): Promise<void> {
    if (Object.keys(this.transaction).length === 0) this.#details = await details;
    else {
      OpenFeature.setTransactionContextPropagator(
        new AsyncLocalStorageTransactionContextPropagator(),
      );
      this.#details = await new Promise<Details>((resolve, reject) => {
        OpenFeature.setTransactionContext(this.transaction, () => {
          this.evaluate().then(resolve, reject);
        });
      });
    }
  }

  hook(name = ''): Hook {
    const note = (stage: string) => (_: unknown, details?: unknown) => {
      this.hooked.push({ stage: `${name}${stage}`, details: details as Details });
    };
    return {
      before: note('before'),
      after: note('after'),
      error: note('error'),
      finally: note('finally'),
    };
  }

  async close(): Promise<void> {
    await OpenFeature.close();
    OpenFeature.clearHooks();
    OpenFeature.setContext({});
    for (const close of this.#closing) await close();
  }

  /** The provider, which notes what it was asked with. */
  #overheard<P extends Provider>(provider: P): P {
    const resolve = provider.resolveBooleanEvaluation.bind(provider);
    provider.resolveBooleanEvaluation = (key, fallback, context, logger) => {
      this.asked.push(context);
      return resolve(key, fallback, context, logger);
    };
    return provider;
  }
}
