import { type Filter, filterProblems } from './filter.ts';
import { phases, type UnsafeRule, unsafeRules } from './migration.ts';
import { schemaProblems, unknownFields } from './schema-problems.ts';
import { isPlain } from './value.ts';

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,126}[a-z0-9])?$/;
const WORDS = 'expected lower-case words with dashes';
const FUNCTION = 'expected a function of one document';

const isName = (each: unknown): each is string => typeof each === 'string' && NAME.test(each);
const isText = (each: unknown): boolean => typeof each === 'string' && each.trim().length > 0;
const isFunction = (each: unknown): boolean => typeof each === 'function';
const isPath = (each: unknown): boolean =>
  typeof each === 'string' && each.split('.').every((name) => name !== '');
const listOf = (holds: (each: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(holds);

/** What a field must be, and how that is said; a field with `?` may be left out. */
type Fields = Readonly<Record<string, readonly [holds: (value: unknown) => boolean, said: string]>>;

const COMMON: Fields = {
  id: [isName, WORDS],
  target: [isName, 'expected the name of a configured database'],
  collection: [isText, 'expected the name of a collection or table'],
  'phase?': [
    (value) => phases.some((each) => each === value),
    `expected one of ${phases.join(', ')}`,
  ],
  'description?': [isText, 'expected text'],
  'dependsOn?': [listOf(isName), 'expected a list of ids of migrations'],
};
const DATA: Fields = {
  ...COMMON,
  up: [isFunction, FUNCTION],
  'down?': [isFunction, FUNCTION],
  'key?': [isText, 'expected the name of a unique, immutable field'],
  pending: [() => true, ''],
  'filter?': [() => true, ''],
  'reads?': [listOf(isPath), 'expected a list of fields, or of paths such as address.city'],
  'hidden?': [listOf(isPath), 'expected a list of fields, or of paths such as address.city'],
  'invariants?': [
    listOf((each) => isPlain(each) && isName(each['name']) && isFunction(each['holds'])),
    'expected a list of { name, holds(document) }, their names lower-case words with dashes',
  ],
  'preserved?': [
    listOf(isPreserved),
    'expected a list of { name, of(document), by?(document) }, their names lower-case words with dashes',
  ],
  'groupBy?': [isFunction, FUNCTION],
  'mapping?': [isFunction, FUNCTION],
  'samples?': [listOf(isPlain), 'expected a list of documents'],
  'unsafe?': [isPlain, `expected reasons for some of ${unsafeRules.join(', ')}`],
};
const SCHEMA: Fields = {
  ...COMMON,
  'indexes?': [Array.isArray, 'expected a list of { name, fields }'],
  'columns?': [Array.isArray, 'expected a list of { name, type }'],
  'validators?': [Array.isArray, 'expected a list of { name, rule }'],
};
const CUTOVER: Fields = {
  ...COMMON,
  flag: [isText, 'expected the key of a flag'],
  variant: [isText, 'expected the variant of the flag that reads the new form'],
};

function isPreserved(each: unknown): boolean {
  if (!isPlain(each)) return false;
  const { name, of, by } = each;
  return isName(name) && isFunction(of) && (by === undefined || isFunction(by));
}

/** What is wrong with a loaded definition, field by field; empty if nothing is. */
export function migrationProblems(value: unknown): readonly string[] {
  if (!isPlain(value))
    return [
      'the file must export a migration as its default: export default defineMigration({ … })',
    ];
  const { phase } = value;
  if (phase === 'schema') return [...fieldProblems(SCHEMA, value), ...schemaProblems(value)];
  const needed = neededProblems(value);
  if (phase === 'cutover') return [...fieldProblems(CUTOVER, value), ...needed];
  return [
    ...fieldProblems(DATA, value),
    ...pendingProblems(value['pending']),
    ...(value['filter'] === undefined ? [] : filterProblems('filter', value['filter'])),
    ...listProblems('invariants', value['invariants'], ['name', 'holds']),
    ...listProblems('preserved', value['preserved'], ['name', 'of', 'by']),
    ...unsafeProblems(value['unsafe']),
    ...needed,
  ];
}

type Given = Readonly<Record<string, unknown>>;

function fieldProblems(fields: Fields, given: Given): readonly string[] {
  const wrong = Object.entries(fields).flatMap(([field, [holds, said]]) => {
    const name = field.replace('?', '');
    const value = given[name];
    const isRight = (field !== name && value === undefined) || holds(value);
    return isRight ? [] : [`${name}: ${said}`];
  });
  const known = Object.keys(fields).map((field) => field.replace('?', ''));
  const unknown = Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => `${name}: there is no such field here; expected ${known.join(', ')}`);
  const itself = [given['dependsOn']].flat().includes(given['id'])
    ? ['dependsOn: a migration cannot depend on itself']
    : [];
  return [...wrong, ...unknown, ...itself];
}

/** A filter that takes everything would never be false. */
function pendingProblems(pending: unknown): readonly string[] {
  const problems = filterProblems('pending', pending);
  return problems.length === 0 && Object.keys(pending as Filter).length === 0
    ? ['pending: expected a filter that is true before up and false after it']
    : problems;
}

function listProblems(field: string, list: unknown, known: readonly string[]): readonly string[] {
  if (!Array.isArray(list)) return [];
  const names = list.map((each: { name?: string } | null) => each?.name);
  const again = names.find((name, index) => names.indexOf(name) !== index);
  return [
    ...(again === undefined ? [] : [`${field}: there are two named ${again}`]),
    ...list.flatMap((each: unknown, index) =>
      isPlain(each) ? unknownFields(`${field}[${index}]`, each, known) : [],
    ),
  ];
}

function unsafeProblems(unsafe: unknown): readonly string[] {
  if (!isPlain(unsafe)) return [];
  return Object.entries(unsafe).flatMap(([rule, reason]) => {
    if (!unsafeRules.includes(rule as UnsafeRule))
      return [`unsafe.${rule}: there is no such rule; expected one of ${unsafeRules.join(', ')}`];
    return isText(reason) ? [] : [`unsafe.${rule}: expected the reason why that is right here`];
  });
}

function neededProblems({ phase, dependsOn }: Given): readonly string[] {
  if (Array.isArray(dependsOn) && dependsOn.length > 0) return [];
  if (phase === 'cutover')
    return ['dependsOn: expected the migrations that must be verified before reads are switched'];
  return phase === 'cleanup'
    ? ['dependsOn: expected the cutover, or the migrations, that a cleanup comes after']
    : [];
}
