import { messageOf } from '@tidegate/kernel';
import type { Migration, Preserved } from './migration.ts';
import type { Row } from './path.ts';
import { cloned, equal, unawaited } from './value.ts';

const TOLERANCE = 1e-9; // of the greater of both

/**
 * The first of what the migration preserves that is not the same in both documents, as words; undefined if all is. `of` and `by`
 * get copies, as invariants do.
 */
export function changedPreserved(
  { preserved = [] }: Pick<Migration, 'preserved'>,
  before: Row,
  after: Row,
): string | undefined {
  if (preserved.length === 0) return undefined;
  const [old, next] = [cloned(before), cloned(after)];
  for (const each of preserved)
    try {
      const [was, is] = [settledNow(each.of(old), 'of'), settledNow(each.of(next), 'of')];
      if (!isKept(was, is)) return `${each.name} from ${String(was)} to ${String(is)}`;
      const [from, to] = [settledNow(each.by?.(old), 'by'), settledNow(each.by?.(next), 'by')];
      if (from !== to) return `the group of ${each.name} from ${from} to ${to}`;
    } catch (error) {
      return `${each.name} (which throws: ${messageOf(error)})`;
    }
  return undefined;
}

/** A promise is equal to any other: then nothing would be preserved. */
function settledNow<T>(value: T, what: string): T {
  if (unawaited(value) instanceof Promise) throw new TypeError(`${what} gives a promise`);
  return value;
}

type Kept = ReturnType<Preserved<Row>['of']>;

const isKept = (a: Kept, b: Kept): boolean =>
  typeof a === 'number' && typeof b === 'number'
    ? a === b || Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b))
    : equal(a, b);
