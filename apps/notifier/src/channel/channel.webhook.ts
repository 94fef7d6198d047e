import { Webhook } from 'standardwebhooks';
import { causeOf, type Clock } from '@tidegate/kernel';
import type { Channel, Sent } from './channel.port.ts';

const TIMEOUT_MS = 15_000;

/**
 * Posts JSON, signed as Standard Webhooks 1.0 says: headers webhook-id, webhook-timestamp and
 * webhook-signature (HMAC-SHA256 over id.timestamp.body). Only 2xx is success; redirects are not followed.
 * @param secret base64, with or without the prefix `whsec_`
 */
export function webhookChannel(options: { url: string; secret: string; clock: Clock }): Channel {
  const signer = new Webhook(options.secret);
  return {
    send: async ({ id, alert, createdAt, attempt }, stopping) => {
      const at = new Date(options.clock.now());
      const { fingerprint: _internal, ...shown } = alert;
      const body = JSON.stringify({
        type: `tidegate.${alert.labels['event'] ?? 'alert'}`,
        timestamp: new Date(createdAt).toISOString(),
        data: shown,
      });
      try {
        const response = await fetch(options.url, {
          method: 'POST',
          redirect: 'manual',
          signal: AbortSignal.any([stopping, AbortSignal.timeout(TIMEOUT_MS)]),
          headers: {
            'content-type': 'application/json',
            'user-agent': 'tidegate-notifier',
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
        const timedOut = error instanceof Error && error.name === 'TimeoutError';
        const message = timedOut
          ? `The receiver did not answer within ${TIMEOUT_MS / 1_000} s.`
          : `The receiver could not be reached: ${causeOf(error)}`;
        return { delivered: false, message, retryable: true };
      }
    },
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
