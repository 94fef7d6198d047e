import { AppError } from '@tidegate/kernel';
import { type Explained, explainDecision, type ExplainedDecision } from './explain.ts';
import type { Found } from './gathered.ts';

export interface Explanation {
  readonly rollout: string;
  /** Where it was read. */
  readonly from: string;
  readonly decisions: readonly ExplainedDecision[];
  readonly counts: {
    readonly same: number;
    readonly reworded: number;
    readonly differing: number;
    readonly notComputable: number;
  };
  readonly isWhole: boolean;
  readonly problems: readonly string[];
}

/** Thrown CLI_REFUSED when nothing was found of the rollout. */
export function explanationOf(rollout: string, from: string, found: Found): Explanation {
  if (found.events === 0 && found.problems.length === 0)
    throw new AppError('CLI_REFUSED', `There is nothing of a rollout ${rollout} in ${from}.`);
  const decisions = found.decisions.map(explainDecision);
  const results = decisions.flatMap(({ verdicts }) => verdicts.map(({ result }) => result));
  const count = (wanted: Explained['result']) => results.filter((each) => each === wanted).length;
  return {
    rollout,
    from,
    decisions,
    counts: {
      same: count('same'),
      reworded: count('reworded'),
      differing: count('differs'),
      notComputable: count('not-computable'),
    },
    isWhole: found.isWhole,
    problems: found.problems,
  };
}

/** Why the explanation does not hold; undefined if it does. What cannot be computed again is no reason. */
export function complaintOf({ counts, problems }: Explanation): string | undefined {
  const { differing } = counts;
  const complaints = [
    ...(differing === 1 ? ['One verdict is not what its inputs lead to.'] : []),
    ...(differing > 1 ? [`${differing} verdicts are not what their inputs lead to.`] : []),
    ...(problems.length > 0 ? ['Not all records could be read as they were written.'] : []),
  ];
  return complaints.length > 0 ? complaints.join(' ') : undefined;
}
