import { filterProblems } from './filter.ts';
import { isPlain } from './value.ts';

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim().length > 0;

/** What is wrong with the indexes, columns and validators of a schema migration, each with its place. */
export function schemaProblems(given: Readonly<Record<string, unknown>>): readonly string[] {
  const lists = Object.entries(EACH).map(([name, problemsOf]) => {
    const list = given[name];
    return {
      isEmpty: list === undefined || (Array.isArray(list) && list.length === 0),
      problems: each(name, list, problemsOf),
    };
  });
  const problems = lists.flatMap((list) => list.problems);
  return problems.length === 0 && lists.every(({ isEmpty }) => isEmpty)
    ? ['indexes, columns, validators: expected at least one of them']
    : problems;
}

type Given = Readonly<Record<string, unknown>>;

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  indexes: ['name', 'fields', 'unique'],
  columns: ['name', 'type'],
  validators: ['name', 'rule'],
};

const EACH: Readonly<Record<string, (at: string, given: Given) => readonly string[]>> = {
  indexes: (at, { fields, unique }) => [
    ...(isPlain(fields) &&
    Object.keys(fields).length > 0 &&
    Object.values(fields).every((order) => order === 1 || order === -1)
      ? []
      : [`${at}.fields: expected paths in their order, each with 1 or -1`]),
    ...(unique === undefined || typeof unique === 'boolean'
      ? []
      : [`${at}.unique: expected true or false`]),
  ],
  columns: (at, { type }) =>
    isText(type) ? [] : [`${at}.type: expected a type in the words of the database`],
  validators: (at, { rule }) => filterProblems(`${at}.rule`, rule),
};

function each(
  name: string,
  list: unknown,
  problemsOf: (at: string, given: Given) => readonly string[],
): readonly string[] {
  if (!Array.isArray(list)) return [];
  const names = new Set<unknown>();
  return list.flatMap((given: unknown, index) => {
    const at = `${name}[${index}]`;
    if (!isPlain(given)) return [`${at}: expected an object`];
    const isNew = !names.has(given['name']);
    names.add(given['name']);
    return [
      ...(isText(given['name']) ? [] : [`${at}.name: expected text`]),
      ...(isNew ? [] : [`${at}.name: there are two named ${String(given['name'])}`]),
      ...unknownFields(at, given, FIELDS[name] ?? []),
      ...problemsOf(at, given),
    ];
  });
}

/** A field with a typing error would be left out without a word. */
export const unknownFields = (
  at: string,
  given: Given,
  known: readonly string[],
): readonly string[] =>
  Object.keys(given)
    .filter((field) => !known.includes(field))
    .map((field) => `${at}.${field}: there is no such field here; expected ${known.join(', ')}`);
