import { z } from 'zod';

const ms = z.coerce.number().int().positive();

export const Config = z.object({
  METRICS_GATEKEEPER_SCRAPE_TIMEOUT_MS: ms
    .max(5_000)
    .default(3_000)
    .describe('Longest wait for one answer of a scrape target.'),
  METRICS_GATEKEEPER_SCRAPE_SHARE_MS: ms
    .max(1_000)
    .default(100)
    .describe('A scrape that is not older also serves other rollouts that read the same target.'),
  METRICS_GATEKEEPER_HEARTBEAT_MS: ms
    .default(5_000)
    .describe('Time between two signs of life that others watch.'),
});
