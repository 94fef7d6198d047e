import { z } from 'zod';

/** `checkout=sqlite:data/checkout.db,orders=sqlite:orders.db` */
const targets = z.string().transform((text, context) => {
  const entries = text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)] as const);
  for (const [name, url] of entries)
    if (name === '' || !/^sqlite:.+/.test(url))
      context.addIssue({
        code: 'custom',
        message: `"${name}=…" is not a database: expected name=sqlite:<file>`,
      });
  return Object.fromEntries(entries);
});

export const Config = z.object({
  MIGRATIONS_DIR: z
    .string()
    .optional()
    .describe(
      'Folder with the migration files (*.ts, *.js, *.mjs). Without it there are no migrations.',
    ),
  MIGRATION_TARGETS: targets
    .default({})
    .describe(
      'Databases by the name that migrations use: name=sqlite:<file>, separated by commas.',
    ),
  MIGRATION_CHECK_MS: z.coerce
    .number()
    .int()
    .min(50)
    .default(1_000)
    .describe('How often runs that nobody works on are looked for.'),
});
