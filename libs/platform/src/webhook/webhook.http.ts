import { causeOf, type Clock } from '@tidegate/kernel';
import { Webhook } from 'standardwebhooks';

/** What became of one attempt. */
export type Sent =
  | { readonly delivered: true }
  | {
      readonly delivered: false;
      readonly message: string;
      readonly retryable: boolean;
      readonly retryAfterMs?: number | undefined;
    };

export interface WebhookOptions {
  readonly url: string;
  /** Base64, with or without the prefix `whsec_`. */
  readonly secret: string;
  readonly clock: Clock;
  /** Who sends. */
  readonly userAgent: string;
  /** Longest wait for an answer. */
  readonly timeoutMs: number;
}

export interface WebhookPost {
  /** The same at every attempt: the receiver can tell repeats by it. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
  /** From 1. */
  readonly attempt: number;
}

/** Never rejects: what went wrong is the answer. Undefined: cut off by `signal`, nobody knows. */
export type SendWebhook = (post: WebhookPost, signal: AbortSignal) => Promise<Sent | undefined>;

/**
 * Posts JSON, signed as Standard Webhooks 1.0 says: headers webhook-id, webhook-timestamp and
 * webhook-signature (HMAC-SHA256 over id.timestamp.body). Only 2xx is success; redirects are not followed.
 */
export function signedWebhook(options: WebhookOptions): SendWebhook {
  const { url, clock, userAgent, timeoutMs } = options;
  const signer = new Webhook(options.secret);
  return async ({ id, body, attempt }, stopping) => {
    const at = new Date(clock.now());
    const late = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.any([stopping, late]),
        headers: {
          'content-type': 'application/json',
          'user-agent': userAgent,
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
          'webhook-signature': signer.sign(id, at, body),
          'webhook-attempt': String(attempt),
        },
        body,
      });
      await response.body?.cancel();
      return sentBy(response, at.getTime());
    } catch (error) {
      if (stopping.aborted) return undefined;
      const message = late.aborted
        ? `The receiver did not answer within ${timeoutMs / 1_000} s.`
        : `The receiver could not be reached: ${causeOf(error)}`;
      return { delivered: false, message, retryable: true };
    }
  };
}

function sentBy({ status, headers }: Response, now: number): Sent {
  if (status >= 200 && status < 300) return { delivered: true };
  return {
    delivered: false,
    message: `The receiver answered ${status}.`,
    retryable: status >= 500 || status === 429 || status === 408,
    retryAfterMs: retryAfter(headers.get('retry-after'), now),
  };
}

/** Seconds or an HTTP date. */
function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - now;
  return ms > 0 ? ms : undefined;
}
