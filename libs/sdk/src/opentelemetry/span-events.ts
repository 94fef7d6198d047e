import { type Attributes, type AttributeValue, trace } from '@opentelemetry/api';
import type { Observer } from '../observer.port.ts';

export interface SpanEventsOptions {
  /** Which set of flags, e.g. the environment: `feature_flag.set.id`. */
  readonly flagSetId?: string;
  /** Whether the targeting key is told, as `feature_flag.context.id`. Default true; false where it names a person. */
  readonly contextId?: boolean;
}

type Scalar = string | number | boolean;

/** What both the client's and OpenFeature's details have. */
interface Evaluation {
  readonly value: unknown;
  readonly variant?: string;
  readonly reason?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly flagMetadata: {
    readonly epoch?: Scalar;
    readonly version?: Scalar;
    readonly flagSetId?: Scalar;
  };
}

/** Events `feature_flag.evaluation` on the active span, for the synchronous client: an observer. */
export const spanEvents = (options: SpanEventsOptions = {}): Observer => ({
  evaluated: (key, details, context) => {
    addEvent(options, key, 'tidegate', details, context?.targetingKey);
  },
});

/** The same as a hook of OpenFeature: `OpenFeature.addHooks(spanEventsHook())`, with any provider. */
export const spanEventsHook = (options: SpanEventsOptions = {}) => ({
  finally: (
    asked: {
      readonly flagKey: string;
      readonly context: { readonly targetingKey?: string };
      readonly providerMetadata: { readonly name: string };
    },
    details: Evaluation,
  ): void => {
    addEvent(
      options,
      asked.flagKey,
      asked.providerMetadata.name,
      details,
      asked.context.targetingKey,
    );
  },
});

function addEvent(
  options: SpanEventsOptions,
  key: string,
  provider: string,
  { value, variant, reason = 'UNKNOWN', errorCode, errorMessage, flagMetadata }: Evaluation,
  targetingKey: string | undefined,
): void {
  const span = trace.getActiveSpan();
  if (!span?.isRecording()) return;
  const { epoch, version, flagSetId = options.flagSetId } = flagMetadata;
  const attributes: Attributes = {
    'feature_flag.key': key,
    'feature_flag.provider.name': provider,
    'feature_flag.set.id': flagSetId,
    'feature_flag.context.id': options.contextId === false ? undefined : targetingKey,
    'feature_flag.result.variant': variant,
    // Told only where no variant names it.
    'feature_flag.result.value': variant === undefined ? scalar(value) : undefined,
    'feature_flag.result.reason': reason.toLowerCase(),
    'feature_flag.version': epoch === undefined ? version : `${epoch}.${version}`,
    'feature_flag.error.message': errorMessage,
    'error.type': reason === 'ERROR' ? (errorCode ?? 'GENERAL').toLowerCase() : undefined,
  };
  for (const [name, attribute] of Object.entries(attributes))
    if (attribute === undefined) delete attributes[name];
  span.addEvent('feature_flag.evaluation', attributes);
}

const scalar = (value: unknown): AttributeValue | undefined =>
  typeof value === 'object' ? JSON.stringify(value) : (value as AttributeValue | undefined);
