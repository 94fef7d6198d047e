import { type PlanReport, reportLimits } from '@tidegate/contracts';
import type { Edit, Row } from '@tidegate/migration';
import type { Key } from '../target/target.port.ts';
import { shortText, shown } from './shown.ts';
import { shownKey } from './tally.ts';

type Sample = PlanReport['samples'][number];

const MOST_CHANGES = 20;

export interface SampleTally {
  /** @param kind what a reviewer would call the same change */
  add(key: Key, group: string | undefined, kind: string, edit: Edit): void;
  readonly samples: () => Sample[];
}

/** A few documents: the first of each kind of change, and where there are few kinds also later ones. */
export function sampleTally(): SampleTally {
  const kinds = new Set<string>();
  const taken: { sample: Sample; isFirst: boolean }[] = [];
  let met = 0;
  let nextAt = 1;
  return {
    add(key, group, kind, edit) {
      met += 1;
      const isFirst = kinds.size < reportLimits.samples && !kinds.has(kind);
      const isLater = met >= nextAt && taken.length < reportLimits.samples;
      if (!isFirst && !isLater) return;
      if (isLater) nextAt = met * 4;
      if (isFirst) kinds.add(kind);
      if (taken.length === reportLimits.samples)
        taken.splice(
          taken.findLastIndex((each) => !each.isFirst),
          1,
        );
      taken.push({ sample: sampleOf(key, group, edit), isFirst });
    },
    samples: () => taken.map(({ sample }) => sample),
  };
}

const sampleOf = (
  key: Key,
  group: string | undefined,
  { before, after, changes }: Edit,
): Sample => ({
  key: shownKey(key),
  ...(group === undefined ? {} : { group }),
  changes: changes.slice(0, MOST_CHANGES).map(({ path, value }) => ({
    path: shortText(path.join('.')),
    ...side('before', valueAt(before, path)),
    ...side('after', value),
  })),
  changesLeftOut: Math.max(0, changes.length - MOST_CHANGES),
  before: shown(before),
  after: shown(after),
});

/** Absent stays absent. */
const side = (name: 'before' | 'after', value: unknown) =>
  value === undefined ? {} : { [name]: shown(value) };

const valueAt = (document: Row, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as Row)[name]
        : undefined,
    document,
  );
