import type { Verdict } from '@tidegate/contracts';
import { riskLevels } from '@tidegate/gates';
import { type Course, emit } from './course.ts';
import { aboutStep } from './draft.ts';
import { riskScore } from './score.ts';
import { isLive, type RiskLevelName, riskLevelNames } from './state.ts';

/** A level counts as reached until the score is halfway back to the 1 that it began with: it must not flutter. */
const leftBelow = (threshold: number): number => (1 + threshold) / 2;

/** Tells of the highest level that the score comes to, and of each once it has clearly gone below it again. */
export function riskLevelsNow(course: Course): Course {
  const { state, check } = course;
  if (!isLive(state) || !check) return course;
  const score = riskScore(state, check.evidence.stage, check.verdicts);
  return riskLevelNames.reduce(
    (before, level) => levelNow(before, { level, score, verdicts: check.verdicts }),
    course,
  );
}

interface Score {
  readonly level: RiskLevelName;
  readonly score: number;
  readonly verdicts: readonly Verdict[];
}

function levelNow(course: Course, { level, score, verdicts }: Score): Course {
  const { state } = course;
  if (!isLive(state)) return course;
  const threshold = riskLevels(state.plan)[level];
  const isReached = state.levels?.[level] !== undefined;
  // A score is 1 at the start: a level that is no more than that is none.
  if (isReached ? score >= leftBelow(threshold) : score < threshold || threshold <= 1)
    return course;
  const said = `The risk score is ${rounded(score)}, ${level} from ${rounded(threshold)}`;
  const data = { ...aboutStep(state), level, score };
  if (isReached)
    return emit(course, { type: 'RiskLevelLeft', data: { ...data, message: `${said}.` } });
  const message = `${said}. ${worst(verdicts)}`.trim();
  const reached = { ...data, threshold, message, verdicts: [...verdicts] };
  return emit(course, { type: 'RiskLevelReached', data: reached });
}

/** What the guard with the most evidence says. */
const worst = (verdicts: readonly Verdict[]): string =>
  verdicts.toSorted((a, b) => (b.logE ?? -Infinity) - (a.logE ?? -Infinity))[0]?.message ?? '';

const rounded = (score: number): string => String(Number(score.toPrecision(2)));
