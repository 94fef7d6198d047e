import { type PlanReport, reportLimits } from '@tidegate/contracts';
import { type Edit, valueAt } from '@tidegate/migration';
import type { Key } from '../target/target.port.ts';
import { type Hidden, shortText, shown } from './shown.ts';
import { shownKey } from './tally.ts';

type Sample = PlanReport['samples'][number];

const MOST_CHANGES = 20;

export interface SampleTally {
  /** @param kind what a reviewer would call the same change */
  add(key: Key, group: string | undefined, kind: string, edit: Edit): void;
  readonly samples: () => Sample[];
}

/** A few documents: the first of each kind of change, and where there are few kinds also later ones. */
export function sampleTally(hidden: Hidden = new Set()): SampleTally {
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
      taken.push({ sample: sampleOf(key, group, edit, hidden), isFirst });
    },
    samples: () => taken.map(({ sample }) => sample),
  };
}

function sampleOf(key: Key, group: string | undefined, edit: Edit, hidden: Hidden): Sample {
  const { before, after, changes } = edit;
  return {
    key: shownKey(key),
    ...(group === undefined ? {} : { group }),
    changes: changes.slice(0, MOST_CHANGES).map(({ path, value }) => ({
      path: shortText(path.join('.')),
      ...side('before', valueAt(before, path), hidden, path),
      ...side('after', value, hidden, path),
    })),
    changesLeftOut: Math.max(0, changes.length - MOST_CHANGES),
    before: shown(before, hidden),
    after: shown(after, hidden),
  };
}

/** Absent stays absent. */
const side = (name: 'before' | 'after', value: unknown, hidden: Hidden, path: readonly string[]) =>
  value === undefined ? {} : { [name]: shown(value, hidden, path) };
