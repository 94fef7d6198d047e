import type { Clock } from '@tidegate/kernel';
import { signedWebhook } from '@tidegate/platform';
import type { Channel } from './channel.port.ts';

const TIMEOUT_MS = 15_000;

/** Posts alerts as JSON, signed as Standard Webhooks 1.0 says. */
export function webhookChannel(options: { url: string; secret: string; clock: Clock }): Channel {
  const send = signedWebhook({
    ...options,
    userAgent: 'tidegate-notifier',
    timeoutMs: TIMEOUT_MS,
  });
  return {
    send: ({ id, alert, createdAt, attempt }, stopping) => {
      const { fingerprint: _internal, ...shown } = alert;
      const body = JSON.stringify({
        type: `tidegate.${alert.labels['event'] ?? 'alert'}`,
        timestamp: new Date(createdAt).toISOString(),
        data: shown,
      });
      return send({ id, body, attempt }, stopping);
    },
  };
}
