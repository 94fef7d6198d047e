export const kinds = ['data', 'schema', 'cutover'] as const;
export type Kind = (typeof kinds)[number];

export interface Wanted {
  readonly id: string;
  /** Empty: `check` asks for it. */
  readonly target: string;
  readonly collection: string;
}

/** The text of a migration file to begin with; what is empty in it must be filled in. */
export const newMigration = (kind: Kind, wanted: Wanted): string => TEXTS[kind](wanted);

const head = ({ id }: Wanted): string => `
  id: '${id}', // never used again for something else
  description: 'What it is for, in a sentence: whoever approves a run reads it.',`;

const place = ({ target, collection }: Wanted): string => `
  target: ${text(target)}, // a name of MIGRATION_TARGETS
  collection: ${text(collection)}, // or table`;

const text = (value: string): string =>
  `'${value.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;

const TEXTS: Readonly<Record<Kind, (wanted: Wanted) => string>> = {
  data: (wanted) => `import { defineMigration } from '@tidegate/migration';

/** What this migration reads and writes of a document; its other fields stay as they are. */
type Document = {
  id: number; // _id in MongoDB
  firstName: string;
  lastName: string;
  fullName?: string | null | undefined; // new
};

const fullName = ({ firstName, lastName }: Document): string => \`\${firstName} \${lastName}\`;

export default defineMigration<Document>({${head(wanted)}${place(wanted)}

  // What is left to do: true before up, false after it. A \`filter\` beside it says what the migration is about at all.
  pending: { fullName: { exists: false } },

  // What up looks at, beside what it changes. Who edits it meanwhile is never overwritten; other fields may be edited.
  reads: ['firstName', 'lastName'],

  // Depends on nothing but the document. Throw on one that makes no sense: the run stops there, or skips and lists it.
  up: (document) => ({ ...document, fullName: fullName(document) }),

  // The way back: up undone. A field that is undefined is taken away.
  down: (document) => ({ ...document, fullName: undefined }),

  // What must hold for every document before, during and after a run.
  invariants: [
    {
      name: 'full-name-is-both',
      holds: (document) => !document.fullName || document.fullName === fullName(document),
    },
  ],

  // Documents before up, as they really are, odd ones too: \`tidegate migration check\` tries up and down on them.
  samples: [
    { id: 1, firstName: 'Ada', lastName: 'Lovelace' },
    { id: 2, firstName: '', lastName: 'Plato', fullName: null },
  ],
});
`,
  schema: (wanted) => `import { defineMigration } from '@tidegate/migration';

export default defineMigration({${head(wanted)}
  phase: 'schema',${place(wanted)}

  // Built while others go on writing; revert takes them away.
  indexes: [{ name: 'by-full-name', fields: { fullName: 1 } }],

  // Tables only; always nullable.
  // columns: [{ name: 'fullName', type: 'text' }],

  // True for every document that is written from then on; what is there already is not looked at.
  // validators: [{ name: 'full-name-is-text', rule: { fullName: { atLeast: '' } } }],
});
`,
  cutover: (wanted) => `import { defineMigration } from '@tidegate/migration';

export default defineMigration({${head(wanted)}
  phase: 'cutover',${place(wanted)}

  // The data migrations that must be verified, with nothing pending, before reads are switched.
  dependsOn: [],

  // The flag that reads are switched by, and its variant that reads the new form.
  flag: '',
  variant: '',
});
`,
};
