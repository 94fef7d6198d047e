import type { Verdict } from '@tidegate/contracts';
import type { Fact } from '@tidegate/kernel';
import { shareKey } from '@tidegate/gates';
import type { RolloutMessage } from './message.ts';
import { logEsOf } from './score.ts';
import type { Existing, RiskLevelName } from './state.ts';

/** What the guards have said, beside what was done about it. */
export function evolveJudged(rollout: Existing, fact: Fact<RolloutMessage>): Existing {
  switch (fact.type) {
    case 'StepCompleted':
      return leftOn(rollout, fact.data.step, fact.data.verdicts);
    case 'ThresholdBreached': {
      const { labels, verdict } = fact.data;
      return verdict ? leftOn(rollout, labels['stage'] ?? '', [verdict]) : rollout;
    }
    case 'RiskLevelReached': {
      const { level, message } = fact.data;
      // Whoever is told of the upper level need not be told of the lower one.
      const both = level === 'hold' ? { notify: message } : {};
      return { ...rollout, levels: { ...both, ...rollout.levels, [level]: message } };
    }
    case 'RiskLevelLeft':
      return { ...rollout, levels: without(rollout.levels ?? {}, fact.data.level) };
    case 'GuardWouldBreach': {
      const key = shareKey(fact.data.guard, fact.data.step);
      return { ...rollout, wouldHaveBreached: [...(rollout.wouldHaveBreached ?? []), key] };
    }
    default:
      return rollout;
  }
}

function leftOn(rollout: Existing, step: string, verdicts: readonly Verdict[]): Existing {
  const logEs = logEsOf(step, verdicts);
  return Object.keys(logEs).length === 0
    ? rollout
    : { ...rollout, logEs: { ...rollout.logEs, ...logEs } };
}

const without = (
  levels: NonNullable<Existing['levels']>,
  left: RiskLevelName,
): NonNullable<Existing['levels']> =>
  Object.fromEntries(Object.entries(levels).filter(([level]) => level !== left));
