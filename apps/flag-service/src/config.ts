import { name } from '@tidegate/contracts';
import { z } from 'zod';

const bytes = z.coerce.number().int().min(1_024);
const days = z.coerce.number().int().min(1);
const waitMs = z.coerce.number().int().positive();

export const Config = z.object({
  FLAG_SERVICE_DEFAULT_ENVIRONMENT: name
    .default('production')
    .describe('Environment of OFREP requests whose path names none.'),
  FLAG_SERVICE_STREAM_BUFFER_BYTES: bytes
    .default(1_048_576)
    .describe(
      'What a slow reader of the event stream may leave unread, beside its snapshot, before it is cut off.',
    ),
  FLAG_SERVICE_STALE_AFTER_DAYS: days
    .default(30)
    .describe(
      'How long a flag must serve everybody the same, be off, or not be asked for, to be listed as stale.',
    ),
  FLAG_SERVICE_MAX_STREAMS: z.coerce
    .number()
    .int()
    .positive()
    .default(20_000)
    .describe('Streams of events at once; applications beyond that are told to poll meanwhile.'),
  FLAG_SERVICE_BUS_PATIENCE_MS: waitMs
    .default(10_000)
    .describe(
      'Longest wait for the bus at the start; after it flags are served from the store alone.',
    ),
});
