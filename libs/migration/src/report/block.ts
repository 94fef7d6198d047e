import type { ReportFinding } from '@tidegate/contracts';

/** Text, or something of a document, which is shown as it is. */
export type Cell = string | { readonly code: string };

export interface Column {
  readonly name: string;
  readonly align?: 'right';
}

export type Block =
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [string, Cell])[] }
  | {
      readonly kind: 'table';
      readonly title?: Cell;
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly Cell[])[];
      /** How many rows there are that are not here. */
      readonly more: number;
    }
  | { readonly kind: 'lines'; readonly lines: readonly Cell[] };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** A report in the order in which it is read: what must be decided, then why. */
export interface Page {
  readonly title: string;
  readonly verdict: 'go' | 'look' | 'no-go';
  readonly headline: string;
  readonly findings: readonly ReportFinding[];
  readonly sections: readonly Section[];
}

const MOST_ROWS = 20;

export const code = (value: string | number): Cell => ({ code: String(value) });
/** A value as JSON; what is not there is said so. */
export const asJson = (value: unknown): Cell =>
  value === undefined ? 'absent' : code(JSON.stringify(value));

/** @param columns names; those that begin with `#` hold numbers */
export function tableOf(
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  { leftOut = 0, title, most = MOST_ROWS }: TableOptions = {},
): Block {
  return {
    kind: 'table',
    ...(title === undefined ? {} : { title }),
    columns: columns.map((name) =>
      name.startsWith('#') ? { name: name.slice(1), align: 'right' } : { name },
    ),
    rows: rows.slice(0, most),
    more: Math.max(0, rows.length - most) + leftOut,
  };
}
interface TableOptions {
  readonly leftOut?: number;
  readonly title?: Cell;
  readonly most?: number;
}

export const factsOf = (rows: readonly (readonly [string, Cell | undefined])[]): Block => ({
  kind: 'facts',
  rows: rows.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value] as const],
  ),
});

/** No section where it would have nothing to say. */
export const sectionIf = (
  holds: boolean,
  title: string,
  blocks: () => readonly Block[],
): readonly Section[] => (holds ? [{ title, blocks: blocks() }] : []);
