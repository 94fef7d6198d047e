import { type PlanReport, reportLimits } from '@tidegate/contracts';
import {
  cloned,
  matches,
  type Migration,
  type Row,
  transform,
  type Transformed,
  unawaited,
} from '@tidegate/migration';
import type { Key } from '../target/target.port.ts';
import { invariantTally } from './invariant-tally.ts';
import { preservedTally } from './preserved-tally.ts';
import { sampleTally } from './sample-tally.ts';
import { sizeTally } from './size-tally.ts';
import { countsUpTo, failureTally, rowName, rowsUpTo } from './tally.ts';

/** What a pass over documents has found. */
export type Tallied = Pick<
  PlanReport,
  | 'wouldChange'
  | 'failed'
  | 'failures'
  | 'groups'
  | 'groupsLeftOut'
  | 'fields'
  | 'fieldsLeftOut'
  | 'mapping'
  | 'mappingLeftOut'
  | 'samples'
  | 'invariants'
  | 'preserved'
  | 'size'
> & {
  /** Pending documents that were met. */
  readonly tried: number;
  /** Outermost fields that `up` adds to documents: columns of a table, where there are some. */
  readonly added: readonly string[];
};

export interface PlanTally {
  add(key: Key, document: Row): void;
  readonly result: () => Tallied;
}

type Changed = Extract<Transformed, { kind: 'changed' }>;
const ARROW = '\u0000';

/** Counts what the migration would do to each document; its size does not depend on how many there are. */
export function planTally(migration: Migration, limitBytes: number | undefined): PlanTally {
  const failures = failureTally();
  const groups = rowsUpTo(reportLimits.groups, () => ({ pending: 0, wouldChange: 0, failed: 0 }));
  const fields = countsUpTo(reportLimits.fields);
  const mapping = countsUpTo(reportLimits.mapping);
  const [invariants, preserved] = [invariantTally(migration), preservedTally(migration)];
  const [samples, sizes] = [sampleTally(new Set(migration.hidden)), sizeTally(limitBytes)];
  const added = new Set<string>();
  let tried = 0;
  let wouldChange = 0;
  const change = (key: Key, group: string | undefined, result: Changed): void => {
    wouldChange += 1;
    const paths = result.changes.map(({ path }) => path.join('.'));
    paths.forEach((path) => fields.add(rowName(path)));
    for (const { path } of result.changes)
      if (added.size < reportLimits.fields && !Object.hasOwn(result.before, path[0] ?? ''))
        added.add(path[0] ?? '');
    const row = mappedOf(migration, result);
    if (row !== undefined) mapping.add(row);
    sizes.add(key, result.before, result.after);
    samples.add(key, group, [...paths, group, row].join(ARROW), result);
  };
  return {
    add(key, document) {
      preserved.add(document);
      invariants.add(key, document);
      if (!matches(migration.pending, document)) return;
      tried += 1;
      const group = named(migration.groupBy, document);
      const row = group === undefined ? undefined : groups.of(group);
      if (row) row.pending += 1;
      const result = transform(migration, document);
      if (result.kind === 'failed') failures.add(key, result.code, result.message);
      if (result.kind === 'failed' && row) row.failed += 1;
      if (result.kind === 'changed' && row) row.wouldChange += 1;
      if (result.kind === 'changed') change(key, group, result);
    },
    result: () => ({
      tried,
      added: [...added],
      wouldChange,
      failed: failures.total(),
      failures: failures.failures(),
      groups: groups
        .entries()
        .map(([group, row]) => ({ group, ...row }))
        .sort((a, b) => b.pending - a.pending),
      groupsLeftOut: groups.leftOut(),
      fields: Object.fromEntries(fields.entries()),
      fieldsLeftOut: fields.leftOut(),
      mapping: mapping.entries().map(mappingRow),
      mappingLeftOut: mapping.leftOut(),
      samples: samples.samples(),
      invariants: invariants.lines(),
      preserved: preserved.lines(),
      size: sizes.size(),
    }),
  };
}

/** What a function of the migration calls a document; it must neither end the run nor edit what is tried next. */
function named(name: ((document: Row) => string) | undefined, document: Row): string | undefined {
  try {
    return name && rowName(unawaited(name(cloned(document))));
  } catch {
    return '(not known: the function throws)';
  }
}

const mappedOf = ({ mapping }: Migration, { before, after }: Changed): string | undefined =>
  mapping && `${named(mapping, before)}${ARROW}${named(mapping, after)}`;

function mappingRow([row, count]: readonly [string, number]): PlanReport['mapping'][number] {
  const [from = '', to = ''] = row.split(ARROW);
  return { from, to, count };
}
