import { z } from 'zod';
import { fact } from './rollout-fact.ts';
import { verdict, verdictExample } from './verdict.ts';

const at = { step: z.string(), index: z.int().min(0) };
const atExample = { step: 'canary', index: 1 };

/**
 * The risk score R = Σ w·E has come to a level below the one that rolls back, since it was last left. Steps that were
 * left, also by a promotion, take it at most a quarter of the way from 1 to the lowest level: what is shown by the step
 * that is exposed now brings a level, and can always leave it again.
 */
export const RiskLevelReached = fact(
  'RiskLevelReached',
  'risk-level-reached',
  {
    ...at,
    level: z.enum(['notify', 'hold']),
    score: z.number(),
    threshold: z.number(),
    message: z.string(),
    verdicts: z.array(verdict).default([]),
  },
  {
    ...atExample,
    level: 'notify',
    score: 12.5,
    threshold: 10,
    message: 'The risk score is 12.5, notify from 10: error-rate 1:38.',
  },
);
/** The risk score is halfway back from a level to 1: until then it counts as reached. */
export const RiskLevelLeft = fact(
  'RiskLevelLeft',
  'risk-level-left',
  { ...at, level: z.enum(['notify', 'hold']), score: z.number(), message: z.string() },
  { ...atExample, level: 'notify', score: 3.1, message: 'The risk score is 3.1, notify from 10.' },
);
/** A guard in shadow would have rolled back; once a step. */
export const GuardWouldBreach = fact(
  'GuardWouldBreach',
  'guard-would-breach',
  { ...at, guard: z.string(), message: z.string(), verdict },
  {
    ...atExample,
    guard: 'error-rate',
    message: 'error-rate: 63 of 1 204 requests failed (5.2 %), limit 1 %.',
    verdict: { ...verdictExample, outcome: 'breach', reason: 'error-rate-too-high', shadow: true },
  },
);
/** Whether the metrics are good again after a rollback, judged on what was counted since. `page`: they are not. */
export const RecoveryJudged = fact(
  'RecoveryJudged',
  'recovery-judged',
  {
    outcome: z.enum(['recovered', 'persisting']),
    message: z.string(),
    page: z.boolean(),
    verdicts: z.array(verdict).default([]),
  },
  {
    outcome: 'recovered',
    message: 'error-rate: 1 of 900 requests failed (0.11 %) since the rollback, limit 1 %.',
    page: false,
  },
);
