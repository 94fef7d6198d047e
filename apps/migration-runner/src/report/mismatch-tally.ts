import { reportLimits, type VerifyReport } from '@tidegate/contracts';
import type { Key } from '../target/target.port.ts';
import { shownKey } from './tally.ts';

/** So that those with another problem have a place, too. */
const MOST_ALIKE = 20;

export interface MismatchTally {
  add(key: Key, problem: string): void;
  readonly result: () => Pick<VerifyReport, 'mismatches' | 'mismatchesLeftOut'>;
}

/** The first documents that are not as they should be, each with one problem once. */
export function mismatchTally(): MismatchTally {
  const mismatches: VerifyReport['mismatches'] = [];
  const known = new Set<string>();
  const ofProblem = new Map<string, number>();
  let leftOut = 0;
  return {
    add(key, problem) {
      const name = `${typeof key}:${key}:${problem}`;
      if (known.has(name)) return;
      const before = ofProblem.get(problem) ?? 0;
      if (mismatches.length >= reportLimits.mismatches || before >= MOST_ALIKE) leftOut += 1;
      else {
        known.add(name);
        ofProblem.set(problem, before + 1);
        mismatches.push({ key: shownKey(key), problem });
      }
    },
    result: () => ({ mismatches, mismatchesLeftOut: leftOut }),
  };
}
