import type {
  Details,
  EvaluationContext,
  EvaluationErrorCode,
  Evaluator,
} from '@tidegate/evaluation';
import { reject, isRejection, type Rejection } from '@tidegate/kernel';
import { z } from 'zod';
import { ofrepReason } from './ofrep-reason.ts';

/** Body of an OFREP evaluation, as it is described; attributes beside the targeting key are for rules. */
export const ofrepBody = z.looseObject({
  context: z.looseObject({ targetingKey: z.string().optional() }).optional(),
});

export interface OfrepAnswer {
  readonly status: 200 | 400 | 404 | 500;
  /** JSON */
  readonly text: string;
  /** What was served; undefined where the caller's default has to do. */
  readonly variant?: string | undefined;
  readonly errorCode?: EvaluationErrorCode | 'INVALID_CONTEXT' | undefined;
}

const STATUS: Partial<Record<EvaluationErrorCode, OfrepAnswer['status']>> = {
  FLAG_NOT_FOUND: 404,
  TARGETING_KEY_MISSING: 400,
  PARSE_ERROR: 400,
};

/** Evaluates one flag and words the answer as OFREP does. A body that is no evaluation request is INVALID_CONTEXT. */
export function evaluateOfrep(evaluator: Evaluator, key: string, body: unknown): OfrepAnswer {
  const context = contextOf(body);
  if (isRejection(context))
    return { status: 400, text: failureText(context.message, key), errorCode: 'INVALID_CONTEXT' };
  const details = evaluator.evaluate(key, undefined, context);
  const { errorCode, variant } = details;
  if (errorCode === undefined)
    return { status: 200, variant, text: served(JSON.stringify(key), details) };
  return { status: STATUS[errorCode] ?? 500, errorCode, text: failed(key, details) };
}

/** The context of a request, none if it gives none. Refused INVALID_CONTEXT. By hand: this runs for every evaluation. */
export function contextOf(body: unknown): EvaluationContext | undefined | Rejection {
  if (body === undefined || body === null) return undefined;
  if (!isObject(body)) return invalid('The body must be an object with the field context.');
  const { context } = body;
  if (context === undefined) return undefined;
  if (!isObject(context)) return invalid('The field context must be an object.');
  const { targetingKey } = context;
  if (targetingKey !== undefined && typeof targetingKey !== 'string')
    return invalid('The field context.targetingKey must be a string.');
  return context;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (message: string): Rejection => reject('INVALID_CONTEXT', message);

/** A request that fails as a whole. `key`: of the flag that it was about, if about one. */
export const failureText = (
  errorDetails: string,
  key: string | undefined,
  errorCode: string = 'INVALID_CONTEXT',
): string => JSON.stringify({ key, errorCode, errorDetails });

/** Answers are made once per flag and shared, and so is what they look like in JSON, but for the key. */
const texts = new WeakMap<Details, string>();

/** @param keyText the key as JSON */
function served(keyText: string, details: Details): string {
  const rest = texts.get(details) ?? remembered(details);
  return `{"key":${keyText},${rest}`;
}

function remembered(details: Details): string {
  const { value, variant, reason, flagMetadata: metadata } = details;
  const text = JSON.stringify({ value, variant, reason: ofrepReason(reason), metadata }).slice(1);
  if (Object.isFrozen(details)) texts.set(details, text);
  return text;
}

const failed = (key: string, { errorCode, errorMessage, flagMetadata }: Details): string =>
  JSON.stringify({ key, errorCode, errorDetails: errorMessage, metadata: flagMetadata });

/** A flag's key, and the same as JSON. */
export type KeyText = readonly [key: string, text: string];

/** Evaluates every flag for one context: the flags that cannot be answered say so, each for itself. */
export function evaluateAll(
  evaluator: Evaluator,
  keys: readonly KeyText[],
  context: EvaluationContext | undefined,
): string {
  let items = '';
  for (const [key, text] of keys) {
    const details = evaluator.evaluate(key, undefined, context);
    if (items !== '') items += ',';
    items += details.errorCode === undefined ? served(text, details) : failed(key, details);
  }
  return `[${items}]`;
}

/** Whether one of the ETags in If-None-Match is this one; `*` is any. */
export const matches = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch === etag ||
    ifNoneMatch.split(',').some((each) => each.trim() === etag || each.trim() === '*'));
