import { type ReportPreserved, reportLimits } from '@tidegate/contracts';
import { cloned, type Migration, type Preserved, type Row, unawaited } from '@tidegate/migration';
import { createSum, type Sum } from './sum.ts';
import { rowName, type Rows, rowsUpTo } from './tally.ts';

interface Total {
  documents: number;
  readonly sum: Sum;
}
interface Kept {
  readonly preserved: Preserved<Row>;
  readonly all: Total;
  readonly groups: Rows<Total>;
}

export interface PreservedTally {
  add(document: Row): void;
  readonly lines: () => ReportPreserved;
}

const blank = (): Total => ({ documents: 0, sum: createSum() });

/** Sums of what `up` must not change, over all and by group. A document on which `of` or `by` throws is not counted. */
export function preservedTally({ preserved = [] }: Pick<Migration, 'preserved'>): PreservedTally {
  const limit = Math.floor(reportLimits.groups / Math.max(1, preserved.length));
  const kept = preserved.map((each): Kept => ({
    preserved: each,
    all: blank(),
    groups: rowsUpTo(limit, blank),
  }));
  return {
    add: (document) => kept.forEach((each) => addTo(each, document)),
    lines: () =>
      kept.map(({ preserved: { name }, all, groups }) => ({
        name,
        ...shownTotal(all),
        groups: groups.entries().map(([group, total]) => ({ group, ...shownTotal(total) })),
        groupsLeftOut: groups.leftOut(),
      })),
  };
}

const shownTotal = ({ documents, sum }: Total) => ({ documents, sum: sum.words() });

function addTo({ preserved, all, groups }: Kept, document: Row): void {
  let value: ReturnType<Preserved<Row>['of']>;
  let group: string | undefined;
  try {
    const copy = cloned(document);
    value = summable(unawaited(preserved.of(copy)));
    group = preserved.by && rowName(unawaited(preserved.by(copy)));
  } catch {
    return;
  }
  for (const total of [all, group === undefined ? undefined : groups.of(group)])
    if (total) {
      total.documents += 1;
      total.sum.add(value);
    }
}

/** A decimal or date of a database is no number: its text is summed up, as a checksum. */
const summable = (value: unknown): Parameters<Sum['add']>[0] =>
  typeof value === 'object' && value !== null
    ? (value as { toString(): string }).toString()
    : ((value ?? null) as Parameters<Sum['add']>[0]);
