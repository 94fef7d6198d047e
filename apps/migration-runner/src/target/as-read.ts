import { type Edit, equal, isPlain, type Path, type Row, valueAt } from '@tidegate/migration';

/** Whether all that an edit compares is still as it was read, and the objects around its changes are still there. */
export function isAsRead({ before, changes, compare }: Edit, now: Row): boolean {
  const isUnchanged = (path: Path): boolean => equal(kept(before, path), kept(now, path));
  const paths = compare ?? [...new Set([...Object.keys(before), ...Object.keys(now)])].map(only);
  return (
    paths.every(isUnchanged) &&
    changes.every(({ path }) => path.length === 1 || isPlain(valueAt(now, path.slice(0, -1))))
  );
}

const only = (name: string): Path => [name];

/** A column has no absent values, so for outermost fields absent is null. */
const kept = (row: Row, path: Path): unknown =>
  path.length === 1 ? (valueAt(row, path) ?? null) : valueAt(row, path);
