import { readFileSync } from 'node:fs';
import { messageOf } from '@tidegate/kernel';
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
    NOTIFIER_WEBHOOK_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Receiver of signed webhooks: the channel `webhook`.'),
    NOTIFIER_WEBHOOK_SECRET: z
      .string()
      .regex(/^(whsec_)?[A-Za-z0-9+/]{24,}={0,2}$/, 'expected base64, at least 24 characters')
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
  );
