import { readFileSync } from 'node:fs';
import { messageOf } from '@tidegate/kernel';
import { webhookSecret, webhookUrl } from '@tidegate/platform';
import { z } from 'zod';
import { type Route, routes } from './route/route.ts';

/** Reads the file while options are checked, so that a wrong route stops the start with all other problems. */
const routesFile = z.string().transform((file, context): readonly Route[] => {
  try {
    const parsed = routes.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: `${file}: ${z.prettifyError(parsed.error)}` });
  } catch (error) {
    context.addIssue({ code: 'custom', message: `${file}: ${messageOf(error)}` });
  }
  return z.NEVER;
});

export const Config = z
  .object({
    NOTIFIER_WEBHOOK_URL: webhookUrl
      .optional()
      .describe('Receiver of signed webhooks: the channel `webhook`.'),
    NOTIFIER_WEBHOOK_SECRET: webhookSecret
      .optional()
      .describe('Base64 key that signs webhooks (Standard Webhooks).'),
    NOTIFIER_ROUTES_FILE: routesFile
      .optional()
      .describe(
        'JSON file with the routes. Without it everything goes to `webhook`, or else to the log.',
      ),
    NOTIFIER_CHECK_MS: z.coerce
      .number()
      .int()
      .min(20)
      .default(500)
      .describe('How often notifications that are due are looked for.'),
  })
  .refine(
    (c) => (c.NOTIFIER_WEBHOOK_URL === undefined) === (c.NOTIFIER_WEBHOOK_SECRET === undefined),
    {
      error: 'NOTIFIER_WEBHOOK_URL and NOTIFIER_WEBHOOK_SECRET go together: give both or none',
    },
  )
  .superRefine((c, context) => {
    const channels = c.NOTIFIER_WEBHOOK_URL === undefined ? ['console'] : ['console', 'webhook'];
    for (const { name, channel } of c.NOTIFIER_ROUTES_FILE ?? [])
      if (!channels.includes(channel))
        context.addIssue({
          code: 'custom',
          path: ['NOTIFIER_ROUTES_FILE'],
          message: `route ${name}: there is no channel ${channel}; there are: ${channels.join(', ')}`,
        });
  });
