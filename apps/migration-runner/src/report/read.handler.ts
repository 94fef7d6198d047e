import type { Row } from '@tidegate/migration';
import type { Shift } from '../run/shift.handler.ts';
import type { Key, Selection, Target } from '../target/target.port.ts';
import { goOn } from './shift-ended.handler.ts';
import { bytesOf } from './size.ts';

/** What a report is read through: a connection that cannot write, and the time to do it in. */
export interface Reader {
  readonly target: Target;
  readonly shift: Pick<Shift, 'goOn'>;
}

/** A document with its key. */
export interface Keyed {
  readonly key: Key;
  readonly row: Row;
}

const FIRST_PAGE = 5;
const LARGEST_PAGE = 1_000;
/** Pages are smaller where documents are large, so that memory does not grow with them. */
const PAGE_BYTES = 8_000_000;

type Measured = <T>(reading: () => Promise<T>) => Promise<T>;

/** Every document of the selection in order of its key. @param measured is given the reading of each page */
export async function* everyOf(
  { target, shift }: Reader,
  selection: Selection,
  measured: Measured = (reading) => reading(),
): AsyncGenerator<Keyed> {
  let after: Key | undefined;
  for (let limit = FIRST_PAGE; ;) {
    const [from, size] = [after, limit];
    const rows = await measured(() => target.page(selection, from, size));
    for (const row of rows) {
      await goOn(shift);
      after = target.keyOf(selection, row);
      yield { key: after, row };
    }
    if (rows.length < limit) return;
    const average = rows.reduce((sum, row) => sum + bytesOf(row), 0) / rows.length;
    limit = Math.max(1, Math.min(limit * 4, LARGEST_PAGE, Math.floor(PAGE_BYTES / average)));
  }
}
