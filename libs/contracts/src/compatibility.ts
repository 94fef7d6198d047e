import { canonicalJson } from '@tidegate/kernel';

interface Schema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly [keyword: string]: unknown;
}

/** Keywords that say nothing about which values are valid. */
const REMARKS = new Set(['$schema', '$id', '$defs', 'title', 'description', 'default', 'examples']);
const COMPARED = new Set([
  'properties',
  'required',
  'items',
  'additionalProperties',
  'enum',
  'anyOf',
]);

/**
 * Why a release with the one schema could not exchange messages with a release with the other; empty if it can,
 * both ways. Allowed: a new optional field, and a field that was optional and is gone. Everything else needs a
 * new version of the message. Stricter than necessary where a keyword is changed: then a person looks.
 */
export const incompatibilities = (published: object, now: object): readonly string[] =>
  compared(inlined(published as Schema), inlined(now as Schema), '');

function compared(old: Schema, next: Schema, at: string): readonly string[] {
  return [
    ...rest(old, next, at),
    ...fields(old, next, at),
    ...inner(old.items, next.items, `${at}[]`),
    ...inner(schemaIn(old), schemaIn(next), `${at}.*`),
    ...values(old, next, at),
    ...branches(old.anyOf ?? [], next.anyOf ?? [], at),
  ];
}

/**
 * The schema without names of its parts: a `$ref` becomes what it stands for, and one that leads back to a part it is
 * in becomes the distance to it. How parts are numbered then makes no difference.
 */
function inlined(root: Schema): Schema {
  const parts = (root['$defs'] ?? {}) as Readonly<Record<string, unknown>>;
  const walk = (value: unknown, above: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((each) => walk(each, above));
    if (typeof value !== 'object' || value === null) return value;
    const { $ref: ref, ...others } = value as { $ref?: unknown };
    const inside = Object.fromEntries(
      Object.entries(others).map(([key, each]) => [
        key,
        key === '$defs' ? each : walk(each, above),
      ]),
    );
    if (typeof ref !== 'string') return inside;
    const part = ref.replace('#/$defs/', '');
    const depth = above.indexOf(part);
    if (depth !== -1) return { ...inside, $ref: depth };
    return { ...(walk(parts[part], [part, ...above]) as object), ...inside };
  };
  return walk(root, []) as Schema;
}

const place = (at: string): string => (at === '' ? 'the message' : at.replace(/^\./, ''));
const schemaIn = ({ additionalProperties: rule }: Schema): Schema | undefined =>
  typeof rule === 'object' ? rule : undefined;

const inner = (old: Schema | undefined, next: Schema | undefined, at: string): readonly string[] =>
  old && next
    ? compared(old, next, at)
    : old || next
      ? [`${place(at)}: was described before or is only now`]
      : [];

function fields(old: Schema, next: Schema, at: string): readonly string[] {
  const [before, after] = [old.properties ?? {}, next.properties ?? {}];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const path = `${at}.${name}`;
    const [was, is] = [before[name], after[name]];
    const [wasNeeded, isNeeded] = [old, next].map(
      ({ required }) => required?.includes(name) ?? false,
    );
    if (wasNeeded !== isNeeded)
      return [
        isNeeded
          ? `${place(path)}: is needed now, and older releases do not send it`
          : `${place(path)}: may be absent now, and older releases need it`,
      ];
    return was && is ? compared(was, is, path) : [];
  });
}

/** One by one, in their order: what may be null is such a pair. */
function branches(old: readonly Schema[], next: readonly Schema[], at: string): readonly string[] {
  if (old.length !== next.length) return [`${place(at)}: anyOf changed`];
  return old.flatMap((branch, index) => compared(branch, next[index] ?? {}, at));
}

function values(old: Schema, next: Schema, at: string): readonly string[] {
  if (!old.enum && !next.enum) return [];
  const same = canonicalJson(old.enum?.toSorted()) === canonicalJson(next.enum?.toSorted());
  return same ? [] : [`${place(at)}: the allowed values changed`];
}

/** Every other keyword must be the same. */
function rest(old: Schema, next: Schema, at: string): readonly string[] {
  const keywords = new Set([...Object.keys(old), ...Object.keys(next)]);
  return [...keywords]
    .filter((keyword) => !REMARKS.has(keyword) && !COMPARED.has(keyword))
    .filter(
      (keyword) => canonicalJson(old[keyword] ?? null) !== canonicalJson(next[keyword] ?? null),
    )
    .map((keyword) => `${place(at)}: ${keyword} changed`);
}
