import { editOf, type Path, type Row } from '@tidegate/migration';
import type { Key, Selection, Target } from './target.port.ts';

/** A collection of things, both kinds of connection to it, and a program that writes past them. */
export interface TargetWorld {
  readonly collection: string;
  readonly write: Target;
  readonly read: Target;
  /** Sets a field, or what is at a path below `doc`, of one thing; undefined takes it away. */
  edit(id: unknown, path: Path, value: unknown): Promise<void>;
  insert(thing: Row): Promise<void>;
  remove(id: unknown): Promise<void>;
  /** Builds an index, as a program does that knows nothing of migrations. */
  index(name: string, field: string): Promise<void>;
}

/**
 * A kind of database. A thing has a key `id` or `_id`; `a` a number; `b` text; `f` a number that may be NaN; `big` an integer of
 * 64 bits; `at` a date; `u` text that is unique; `doc` an object. All but the key may be null, or absent where documents can.
 */
export interface TargetKind {
  readonly key: 'id' | '_id';
  /** By name: keys that one collection can have, in any order; `default` are integers. */
  readonly keys: Readonly<Record<string, readonly unknown[]>>;
  /** How a date is read. */
  readonly date: (iso: string) => unknown;
  /** Whether a field can be NaN. */
  readonly keepsNaN: boolean;
  /** Whether a list can hold lists. */
  readonly nestsLists?: false;
  /** The most bytes that a text of the contract has. */
  readonly hugeBytes: number;
  /** A type for a column; undefined where there are no columns. */
  readonly columnType?: string;
  /** Whether the server takes rules for documents. */
  readonly hasValidators: boolean;
  /** With keys of the kind of that name. What it opens is closed after the test. */
  open(things: readonly Row[], keys?: string): Promise<TargetWorld>;
}

export const all = (
  { key }: TargetKind,
  { collection }: TargetWorld,
  filters: Selection['filters'] = [],
): Selection => ({ collection, key, filters });

/** Things with the keys 1 … n. */
export const things = (
  { key }: TargetKind,
  count: number,
  thing: (id: number) => Row = () => ({}),
): readonly Row[] =>
  Array.from({ length: count }, (_, index) => ({ [key]: index + 1, ...thing(index + 1) }));

/** Null and absent are the same, so that a row of a table and a document compare. */
export const bare = (row: Row | undefined): Row =>
  Object.fromEntries(Object.entries(row ?? {}).filter(([, value]) => (value ?? null) !== null));

export async function one(kind: TargetKind, world: TargetWorld, id: Key): Promise<Row> {
  const [row] = await world.read.find(all(kind, world), [id]);
  if (!row) throw new Error(`there is no thing ${id}`);
  return row;
}

/** Reads a thing and makes an edit of it that sets these fields. */
export async function change(
  kind: TargetKind,
  world: TargetWorld,
  id: Key,
  fields: Row,
  reads?: readonly Path[],
): Promise<ReturnType<typeof editOf>> {
  const before = await one(kind, world, id);
  return editOf(before, { ...before, ...fields }, reads);
}

export async function allPages(
  kind: TargetKind,
  world: TargetWorld,
  limit: number,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const selection = all(kind, world);
  for (let after: Key | undefined; ;) {
    const page = await world.read.page(selection, after, limit);
    const last = page.at(-1);
    if (!last) return rows;
    rows.push(...page);
    after = world.read.keyOf(selection, last);
  }
}
