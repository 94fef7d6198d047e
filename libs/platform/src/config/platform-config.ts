import { isRejection, type Rejection } from '@tidegate/kernel';
import { readStoreUrl } from '@tidegate/store';
import { z } from 'zod';
import { webhookSecret, webhookUrl } from '../webhook/webhook-options.ts';
import { readBusUrl } from './driver-url.ts';

const urlOf = <U>(read: (text: string) => U | Rejection) =>
  z.string().transform((text, context) => {
    const url = read(text);
    if (!isRejection(url)) return url;
    context.addIssue({ code: 'custom', message: url.message });
    return z.NEVER;
  });
const waitMs = z.coerce.number().int().positive();
const limitPerMinute = z.coerce.number().int().min(0);

/** The options that all services share. */
export const PlatformConfig = z
  .object({
    SERVICE_NAME: z
      .string()
      .optional()
      .describe('Name in logs and traces; else the service’s own.'),
    HOST: z.string().default('127.0.0.1').describe('Address to listen on; 0.0.0.0 in a container.'),
    PORT: z.coerce
      .number()
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe('Port to listen on; else the service’s own. 0: any free one.'),
    DATA_DIR: z.string().default('.tidegate').describe('Folder of the embedded bus and store.'),
    BUS_URL: urlOf(readBusUrl)
      .optional()
      .describe(
        '`sqlite:<file>` or `kafka://<host>:<port>,…`, see libs/bus; else bus.db in DATA_DIR.',
      ),
    STORE_URL: urlOf(readStoreUrl)
      .optional()
      .describe(
        '`sqlite:<file>` or `mongodb://<host>:<port>/<database>`; else store.db in DATA_DIR.',
      ),
    REDIS_URL: z
      .url({ protocol: /^rediss?$/, error: 'must be redis://<host>:<port> or rediss://…' })
      .optional()
      .describe(
        'Where replicas share rate limits and what idempotency keys were used for; else each process has its own.',
      ),
    LOG_LEVEL: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('Least level that is logged.'),
    LOG_FILE: z.string().optional().describe('File for the log; else standard output.'),
    ADMIN_API_KEY: z
      .string()
      .min(16, 'must have at least 16 characters')
      .optional()
      .describe('A key with the role admin in every environment.'),
    API_KEYS_FILE: z
      .string()
      .optional()
      .describe(
        'Keys: name, sha256, role, environments; JSON array or lines, read again on change.',
      ),
    API_KEYS_CHECK_MS: waitMs.default(1_000).describe('Wait between two looks at API_KEYS_FILE.'),
    RATE_LIMIT_PER_MINUTE: limitPerMinute
      .default(12_000)
      .describe('Requests a minute of one API key to one service; 0: any number.'),
    RATE_LIMIT_HEARTBEATS_PER_MINUTE: limitPerMinute
      .default(240_000)
      .describe(
        'Signs of life a minute of all instances with one API key, counted apart, 12 of each instance, and their requests for the flags; 0: any number.',
      ),
    RATE_LIMIT_EVALUATIONS_PER_MINUTE: limitPerMinute
      .default(600_000)
      .describe(
        'Evaluations over OFREP a minute with one API key, counted apart: one for each flag that is asked; 0: any number.',
      ),
    RATE_LIMIT_ANONYMOUS_PER_MINUTE: limitPerMinute
      .default(600)
      .describe('Requests a minute of one address without a valid key; 0: any number.'),
    PAGER_WEBHOOK_URL: webhookUrl
      .optional()
      .describe(
        'Who is on call: gets signed webhooks about this service’s own bus, store and kills, past both of them.',
      ),
    PAGER_WEBHOOK_SECRET: webhookSecret
      .optional()
      .describe('Base64 key that signs pages (Standard Webhooks).'),
    PAGER_AFTER_MS: z.coerce
      .number()
      .int()
      .min(100)
      .default(15_000)
      .describe('How long bus or store may be away before a person is paged.'),
    HTTP_BODY_LIMIT_BYTES: z.coerce
      .number()
      .int()
      .positive()
      .default(1_048_576)
      .describe('Largest request body.'),
    ENABLE_TELEMETRY: z.stringbool().default(false).describe('Export traces over OTLP/HTTP.'),
    OTEL_EXPORTER_OTLP_ENDPOINT: z
      .url({ protocol: /^https?$/ })
      .default('http://localhost:4318')
      .describe('Collector of traces.'),
    SHUTDOWN_GRACE_MS: waitMs.default(10_000).describe('Longest time to stop in an orderly way.'),
    SHUTDOWN_LINGER_MS: z.coerce
      .number()
      .int()
      .min(0)
      .default(250)
      .describe(
        'Time for open connections to send what is on its way, before idle ones are closed.',
      ),
  })
  .refine((c) => c.ADMIN_API_KEY !== undefined || c.API_KEYS_FILE !== undefined, {
    error: 'ADMIN_API_KEY or API_KEYS_FILE is needed: nobody could use this service.',
    when: () => true,
  })
  .refine((c) => (c.PAGER_WEBHOOK_URL === undefined) === (c.PAGER_WEBHOOK_SECRET === undefined), {
    error: 'PAGER_WEBHOOK_URL and PAGER_WEBHOOK_SECRET go together: give both or none.',
    when: () => true,
  })
  .refine((c) => c.BUS_URL?.driver !== 'kafka' || c.STORE_URL !== undefined, {
    error:
      'STORE_URL is needed with a BUS_URL of kafka://: on a store.db of its own, each process would decide by itself.',
    when: () => true,
  })
  .refine((c) => c.STORE_URL?.driver !== 'mongodb' || c.BUS_URL !== undefined, {
    error:
      'BUS_URL is needed with a STORE_URL of mongodb://: on a bus.db of its own, no process would hear of another.',
    when: () => true,
  });
export type PlatformConfig = z.output<typeof PlatformConfig>;
