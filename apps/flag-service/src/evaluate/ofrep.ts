import type { Details, EvaluationErrorCode, Evaluator } from '@tidegate/evaluation';
import { z } from 'zod';

/** Body of an OFREP evaluation; attributes beside the targeting key are for rules. */
export const ofrepBody = z.looseObject({
  context: z.looseObject({ targetingKey: z.string().optional() }).optional(),
});

export interface OfrepAnswer {
  readonly status: 200 | 400 | 404 | 500;
  readonly body: Readonly<Record<string, unknown>>;
}

const STATUS: Partial<Record<EvaluationErrorCode, OfrepAnswer['status']>> = {
  FLAG_NOT_FOUND: 404,
  TARGETING_KEY_MISSING: 400,
  PARSE_ERROR: 400,
};

/** Evaluates one flag and words the answer as OFREP does. A body that is no evaluation request is INVALID_CONTEXT. */
export function evaluateOfrep(evaluator: Evaluator, key: string, body: unknown): OfrepAnswer {
  const request = ofrepBody.safeParse(body ?? {});
  if (request.success) return worded(key, evaluator.evaluate(key, undefined, request.data.context));
  const errorDetails = z.prettifyError(request.error);
  return { status: 400, body: { key, errorCode: 'INVALID_CONTEXT', errorDetails } };
}

function worded(key: string, details: Details): OfrepAnswer {
  const { value, variant, reason, flagMetadata, errorCode, errorMessage } = details;
  if (errorCode === undefined)
    return { status: 200, body: { key, value, variant, reason, metadata: flagMetadata } };
  const status = STATUS[errorCode] ?? 500;
  if (status === 500) return { status, body: { errorDetails: errorMessage } };
  return { status, body: { key, errorCode, errorDetails: errorMessage } };
}
