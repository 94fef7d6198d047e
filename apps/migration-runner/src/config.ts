import { z } from 'zod';

const KINDS = 'sqlite:<file>, postgres://… or mongodb://…';
const isDatabase = (url: string): boolean =>
  /^sqlite:.+|^postgres(ql)?:\/\/.+|^mongodb(\+srv)?:\/\/.+/.test(url);
const REFERENCE = /^env:(\w+)$/;

/**
 * `name=address,name=address`, by name; a list of hosts in an address has commas of its own.
 * @param what is expected behind a name
 */
const namedAddresses = (what: {
  readonly is: (address: string) => boolean;
  readonly called: string;
  readonly expected: string;
}) =>
  z.string().transform((text, context): ReadonlyMap<string, string> => {
    const addresses = new Map<string, string>();
    const wrong = (message: string) => context.addIssue({ code: 'custom', message });
    for (const entry of text.split(/,(?=\s*[\w.-]+=[a-z+]+:|\s*$)/).map((each) => each.trim())) {
      if (entry === '') continue;
      const [, name = '', address = ''] = /^([^=]*)=(.*)$/.exec(entry) ?? [];
      if (name === '' || !what.is(address))
        // What stands behind the name may hold a password.
        wrong(`"${entry.replace(/=.*/, '=…')}" is not a ${what.called}: expected ${what.expected}`);
      else if (addresses.has(name)) wrong(`the name ${name} is there twice`);
      addresses.set(name, address);
    }
    return addresses;
  });

/** `checkout=sqlite:data/checkout.db,orders=env:ORDERS_URL` */
const targets = namedAddresses({
  is: (address) => isDatabase(address) || REFERENCE.test(address),
  called: 'database',
  expected: `name=${KINDS}, or name=env:<variable that holds it>`,
}).transform((urls) => Object.fromEntries(urls));

/** `orders=https://backup.internal/snapshots` */
const snapshots = namedAddresses({
  is: (address) => /^https?:\/\/[^,]+$/.test(address) && URL.canParse(address),
  called: 'webhook',
  expected: 'name=https://…',
});

const options = z.looseObject({
  MIGRATIONS_DIR: z
    .string()
    .optional()
    .describe(
      'Folder with the migration files (*.ts, *.js, *.mjs). Without it there are no migrations.',
    ),
  MIGRATION_TARGETS: targets
    .default({})
    .describe(
      'Databases by the name that migrations use, separated by commas: name=sqlite:<file>, name=postgres://…, name=mongodb://…, ' +
        'or name=env:<variable that holds the address>, which keeps passwords out of here.',
    ),
  MIGRATION_BACKUP_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(1_048_576)
    .default(10_737_418_240)
    .describe(
      'How much the store keeps of the way back of one migration, compressed; a run that would need more waits.',
    ),
  MIGRATION_SNAPSHOTS: snapshots
    .default(new Map())
    .describe(
      'Who makes a managed snapshot of a database, for backup runs: name=https://…, separated by commas. It is sent { run, migration, target } again and again, and answers { status, snapshot, message } with the status running, done or failed. Without it before-images are kept.',
    ),
  MIGRATION_SETTLE_MS: z.coerce
    .number()
    .int()
    .min(0)
    .default(30_000)
    .describe('How long a cutover lets programs write before it counts again.'),
  MIGRATION_CHECK_MS: z.coerce
    .number()
    .int()
    .min(50)
    .default(1_000)
    .describe('How often runs that nobody works on are looked for.'),
});

/** Where a target is kept in another variable, that one must hold an address. */
export const Config = options.superRefine((config, context) => {
  for (const [name, url] of Object.entries(config.MIGRATION_TARGETS)) {
    const [, variable] = REFERENCE.exec(url) ?? [];
    if (variable === undefined) continue;
    const address = config[variable];
    if (typeof address === 'string' && isDatabase(address)) continue;
    const problem = address === undefined ? 'not set' : `not ${KINDS}`;
    context.addIssue({
      code: 'custom',
      path: ['MIGRATION_TARGETS'],
      message: `${variable}, which is to hold the address of ${name}, is ${problem}`,
    });
  }
});

/** The addresses themselves. */
export const targetUrls = (config: z.output<typeof Config>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(config.MIGRATION_TARGETS).map(([name, url]) => {
      const [, variable] = REFERENCE.exec(url) ?? [];
      return [name, variable === undefined ? url : (config[variable] as string)];
    }),
  );
