import { z } from 'zod';

/** `checkout=sqlite:data/checkout.db,orders=sqlite:orders.db` */
const targets = z.string().transform((text, context) => {
  const urls = new Map<string, string>();
  const wrong = (message: string) => context.addIssue({ code: 'custom', message });
  for (const entry of text.split(',').map((each) => each.trim())) {
    const [, name = '', url = ''] = /^([^=]*)=(.*)$/.exec(entry) ?? [];
    if (entry === '') continue;
    if (name === '' || !/^sqlite:.+/.test(url))
      // What stands behind the name may hold a password.
      wrong(`"${entry.replace(/=.*/, '=…')}" is not a database: expected name=sqlite:<file>`);
    else if (urls.has(name)) wrong(`the name ${name} is there twice`);
    urls.set(name, url);
  }
  return Object.fromEntries(urls);
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
  MIGRATION_BACKUP_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(1_048_576)
    .default(10_737_418_240)
    .describe(
      'How much the store keeps of the way back of one migration, compressed; a run that would need more waits.',
    ),
  MIGRATION_CHECK_MS: z.coerce
    .number()
    .int()
    .min(50)
    .default(1_000)
    .describe('How often runs that nobody works on are looked for.'),
});
