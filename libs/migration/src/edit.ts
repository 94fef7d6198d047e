import type { Path, Row } from './path.ts';
import { equal, isPlain, put, settled, valueAt } from './value.ts';

/** One difference: the value at the path, `undefined` where it is taken away. */
export interface Change {
  readonly path: Path;
  readonly value: unknown;
}

/** A document that is to become another one. */
export interface Edit {
  readonly before: Row;
  readonly after: Row;
  /** From `before` to `after`, the fewest that say it. A path leads through plain objects that `before` has. */
  readonly changes: readonly Change[];
  /** What must still be as in `before` when it is written: paths, or undefined for the whole document. */
  readonly compare?: readonly Path[] | undefined;
  /** The document that changed values were taken from, where they are put back: a target keeps their types by it. */
  readonly source?: Row;
}

/**
 * What makes `after` of `before`. Null and absent are the same in a column or outermost field, further inside they are not.
 * @param reads paths that must not have changed when it is written, beside the changed ones; undefined: the whole document
 */
export function editOf(before: Row, after: Row, reads?: readonly Path[]): Edit {
  const changes: Change[] = [];
  for (const name of namesOf(before, after)) {
    const [old, next] = [own(before, name), own(after, name)];
    if (!equal(old ?? null, next ?? null)) differences([name], old, next, changes);
  }
  const compare = reads && compared(reads, changes);
  return { before, after, changes, ...(compare ? { compare } : {}) };
}

/**
 * Takes `current` back to what `image` says at the paths; elsewhere it stays as it is.
 * @param reads as of `editOf`
 */
export function restore(
  current: Row,
  image: Row,
  paths: readonly Path[],
  reads?: readonly Path[],
): Edit {
  const after = changedAt(
    current,
    paths.map((path) => ({ path, value: valueAt(image, path) })),
  );
  return { ...editOf(current, after, reads && [...reads, ...paths]), source: image };
}

function differences(path: Path, old: unknown, next: unknown, changes: Change[]): void {
  if (!isPlain(old) || !isPlain(next)) {
    changes.push({ path, value: next });
    return;
  }
  const names = namesOf(old, next).filter((name) => !equal(own(old, name), own(next, name)));
  if (names.some((name) => !isAddressable(name))) changes.push({ path, value: next });
  else
    for (const name of names)
      differences([...path, name], own(old, name), own(next, name), changes);
}

/** `constructor` is no field of a document that has none. */
const own = (row: Row, name: string): unknown => (Object.hasOwn(row, name) ? row[name] : undefined);

/** The same edit as it is kept: what is undefined is taken away. Thrown RangeError when something nests too deep. */
export function settledEdit({ before, changes, ...edit }: Edit): Edit {
  const settledChanges = changes
    .map(({ path, value }) => ({ path, value: settled(value) }))
    .filter(({ path, value }) => !equal(value, valueAt(before, path)));
  return { ...edit, before, after: changedAt(before, settledChanges), changes: settledChanges };
}

/** Databases read other names as paths or operators: then the object around them is written whole. */
const isAddressable = (name: string): boolean =>
  name !== '' && !name.startsWith('$') && !name.includes('.');

const namesOf = (a: Row, b: Row): string[] => {
  const added = Object.keys(b).filter((name) => !Object.hasOwn(a, name));
  return [...Object.keys(a), ...added];
};

/** What is compared is the same for all documents that are changed alike: computed once, and the same list each time. */
const COMPARED = new WeakMap<readonly Path[], Map<string, readonly Path[]>>();
const MOST_SHAPES = 100;

function compared(reads: readonly Path[], changes: readonly Change[]): readonly Path[] {
  const shapes = COMPARED.get(reads) ?? new Map<string, readonly Path[]>();
  COMPARED.set(reads, shapes);
  let shape = '';
  for (const { path } of changes) shape += `${path.length}:${path.join('\0')}\n`;
  const known = shapes.get(shape);
  if (known) return known;
  if (shapes.size === MOST_SHAPES) shapes.clear();
  const paths = outermost([...reads, ...changes.map(({ path }) => path)]);
  shapes.set(shape, paths);
  return paths;
}

/** Those that lie in none of the others, each once. */
export function outermost(paths: readonly Path[]): readonly Path[] {
  const kept = new Map<string, Path>();
  for (const path of [...paths].sort((a, b) => a.length - b.length)) {
    let text = '';
    const isInside = path.some((name) => kept.has((text += `${name.length}:${name}`)));
    if (!isInside) kept.set(text, path);
  }
  return [...kept.values()];
}

/** The document with all these changes: what lies around many of them is copied once. */
function changedAt(document: Row, changes: readonly Change[]): Row {
  const own = new Set<unknown>();
  const copyOf = (value: unknown): Record<string, unknown> => {
    if (own.has(value)) return value as Record<string, unknown>;
    const copy = isPlain(value) ? { ...value } : {};
    own.add(copy);
    return copy;
  };
  let after = document;
  for (const { path, value } of changes) {
    if (value === undefined && !hasAround(after, path)) continue;
    const root = copyOf(after);
    let inner = root;
    for (const name of path.slice(0, -1)) {
      const copy = copyOf(Object.hasOwn(inner, name) ? inner[name] : undefined);
      put(inner, name, copy);
      inner = copy;
    }
    const last = path.at(-1) ?? '';
    if (value === undefined) delete inner[last];
    else put(inner, last, value);
    after = root;
  }
  return after;
}

/** There is nothing to take away of what is not there. */
const hasAround = (document: Row, path: Path): boolean =>
  path.length < 2 || isPlain(valueAt(document, path.slice(0, -1)));

/** The document with the value at the path, or without it where it is undefined. */
export function replaced(document: Row, [name = '', ...inner]: Path, value: unknown): Row {
  const old = Object.hasOwn(document, name) ? document[name] : undefined;
  if (inner.length > 0 && !isPlain(old) && value === undefined) return document;
  const next = inner.length === 0 ? value : replaced(isPlain(old) ? old : {}, inner, value);
  const copy = { ...document };
  if (next === undefined) delete copy[name];
  else put(copy, name, next);
  return copy;
}
