type Json = Readonly<Record<string, unknown>>;
type Definitions = Readonly<Record<string, unknown>>;

const LOCAL = '#/definitions/';

/**
 * The document with the definitions that its schemas bring along, as recursive ones do, in one place: a reference
 * counts from the document's root, so where they stood nobody would find them. Equal ones become one. Named by their
 * title; the one that has none is JSON itself.
 */
export function withSharedDefinitions<D extends object>(document: D): D {
  const shared = new Map<string, { readonly name: string; schema: unknown }>();
  const lifted = lift(document, {}, shared) as D & { readonly components?: Json };
  if (shared.size === 0) return lifted;
  const schemas = Object.fromEntries(
    [...shared.values()].map(({ name, schema }) => [name, schema]),
  );
  return { ...lifted, components: { ...lifted.components, schemas } };
}

type Shared = Map<string, { readonly name: string; schema: unknown }>;

function lift(value: unknown, around: Definitions, shared: Shared): unknown {
  if (Array.isArray(value)) return value.map((each) => lift(each, around, shared));
  if (!isObject(value)) return value;
  const { definitions, ...rest } = value;
  const known = isObject(definitions) ? definitions : around;
  const entries = isObject(definitions) ? Object.entries(rest) : Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, part]) => {
      const own = key === '$ref' ? localName(part) : undefined;
      return [key, own === undefined ? lift(part, known, shared) : share(own, known, shared)];
    }),
  );
}

/** Where the definition is found from now on. */
function share(own: string, known: Definitions, shared: Shared): string {
  const identity = JSON.stringify(unfolded(own, known, []));
  const found = shared.get(identity) ?? { name: nameFor(known[own], shared), schema: undefined };
  if (!shared.has(identity)) {
    shared.set(identity, found);
    found.schema = lift(known[own], known, shared);
  }
  return `#/components/schemas/${found.name}`;
}

function nameFor(schema: unknown, shared: Shared): string {
  const title = isObject(schema) ? schema['title'] : undefined;
  const wanted = typeof title === 'string' ? title : 'Json';
  const taken = [...shared.values()].filter(({ name }) => name.startsWith(wanted)).length;
  return taken === 0 ? wanted : `${wanted}${taken + 1}`;
}

/** The definition with what it refers to in its place; what it is part of is counted, not named. */
function unfolded(own: string, known: Definitions, above: readonly string[]): unknown {
  const depth = above.indexOf(own);
  if (depth !== -1) return `^${above.length - depth}`;
  const inside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inside);
    if (!isObject(value)) return value;
    const referred = localName(value['$ref']);
    if (referred !== undefined) return unfolded(referred, known, [...above, own]);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, inside(part)]));
  };
  return inside(known[own]);
}

const localName = (reference: unknown): string | undefined =>
  typeof reference === 'string' && reference.startsWith(LOCAL)
    ? reference.slice(LOCAL.length)
    : undefined;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
