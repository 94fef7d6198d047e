import { type PlanReport, reportLimits } from '@tidegate/contracts';
import { brokenInvariant, type Migration, type Row } from '@tidegate/migration';
import type { Key } from '../target/target.port.ts';
import { shownKey } from './tally.ts';

type Line = PlanReport['invariants'][number];

export interface InvariantTally {
  /** Those that do not hold. */
  add(key: Key, document: Row): readonly string[];
  readonly lines: () => Line[];
}

/** For how many documents each invariant does not hold, with the first of them. */
export function invariantTally({ invariants = [] }: Pick<Migration, 'invariants'>): InvariantTally {
  const lines = invariants.map(({ name }): Line => ({ name, checked: 0, broken: 0, examples: [] }));
  return {
    add: (key, document) =>
      invariants.flatMap((invariant, index) => {
        const line = lines[index] as Line;
        line.checked += 1;
        const broken = brokenInvariant({ invariants: [invariant] }, document);
        if (broken === undefined) return [];
        line.broken += 1;
        if (line.examples.length < reportLimits.examples) line.examples.push(shownKey(key));
        return [broken];
      }),
    lines: () => lines,
  };
}
