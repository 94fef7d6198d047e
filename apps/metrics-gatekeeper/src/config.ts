import { z } from 'zod';

const ms = z.coerce.number().int().positive();
const authorization = z
  .string()
  .regex(/^(?:Bearer|Basic) \S+$/, 'must be "Bearer <token>" or "Basic <user:password in base64>"');

export const Config = z
  .object({
    PROMETHEUS_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'The Prometheus of plans whose source names none, such as `http://prometheus:9090`.',
      ),
    PROMETHEUS_AUTHORIZATION: authorization
      .optional()
      .describe(
        'Header Authorization for PROMETHEUS_URL, and for no other: `Bearer …` or `Basic …`.',
      ),
    ALERTMANAGER_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Is sent an alert for each breach that rolls back, such as `http://alertmanager:9093`; without it none.',
      ),
    ALERTMANAGER_AUTHORIZATION: authorization
      .optional()
      .describe('Header Authorization for ALERTMANAGER_URL: `Bearer …` or `Basic …`.'),
    METRICS_GATEKEEPER_ALERT_EVERY_MS: ms
      .max(3_600_000)
      .default(60_000)
      .describe(
        'A breach that is not over is sent to Alertmanager again after this; it is over for Alertmanager if nothing comes for five times as long.',
      ),
    METRICS_GATEKEEPER_SCRAPE_TIMEOUT_MS: ms
      .max(5_000)
      .default(3_000)
      .describe('Longest wait for one answer of a scrape target or of Prometheus.'),
    METRICS_GATEKEEPER_SCRAPE_SHARE_MS: ms
      .max(1_000)
      .default(100)
      .describe('An answer that is not older also serves other rollouts that read the same.'),
    METRICS_GATEKEEPER_HEARTBEAT_MS: ms
      .max(10_000)
      .default(5_000)
      .describe('Time between two signs of life that others watch.'),
    METRICS_GATEKEEPER_HEARTBEAT_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Is sent a POST with each sign of life while checks, store and bus work: a service that pages when they stop.',
      ),
  })
  .refine((c) => c.PROMETHEUS_AUTHORIZATION === undefined || c.PROMETHEUS_URL !== undefined, {
    error: 'PROMETHEUS_AUTHORIZATION is for PROMETHEUS_URL, which is not set.',
    when: () => true,
  })
  .refine((c) => c.ALERTMANAGER_AUTHORIZATION === undefined || c.ALERTMANAGER_URL !== undefined, {
    error: 'ALERTMANAGER_AUTHORIZATION is for ALERTMANAGER_URL, which is not set.',
    when: () => true,
  });
