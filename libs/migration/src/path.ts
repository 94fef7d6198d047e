/** A document or table row. */
export type Row = Readonly<Record<string, unknown>>;

/** Names from the outside in: columns and fields, never a place in a list. */
export type Path = readonly string[];

/** The fields that a document's type names; none where it only says that there are fields. */
type Known<D> = keyof {
  [K in keyof D as string extends K ? never : K extends string ? K : never]: true;
} &
  string;

/** `address` and `address.city` of a document whose type names `address`; never where it names no field. */
export type KnownPath<D> = Known<D> | `${Known<D>}.${string}`;
