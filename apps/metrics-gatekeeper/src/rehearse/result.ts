import type { Verdict } from '@tidegate/contracts';
import { shareKey } from '@tidegate/gates';
import type { Played } from './play.handler.ts';
import { logScore } from '../rollout/score.ts';
import { rolloutOf, type Scene } from './scene.ts';
import { STAND_INS } from './stand-ins.ts';
import {
  type Ending,
  endingOf,
  type Happening,
  happenings,
  type HoldTold,
  holdsTold,
  type StepTold,
  stepsTold,
} from './story.ts';
import type { Trace } from './trace.ts';

/** What a rehearsal shows: what would have happened, when and why, and what each guard went by. */
export interface Rehearsal {
  readonly plan: string;
  readonly environment: string;
  readonly flag: string;
  readonly from: number;
  /** The last instant that was played. */
  readonly until: number;
  readonly checks: number;
  readonly checkEvery: number;
  readonly ended: Ending;
  readonly steps: readonly StepTold[];
  readonly events: readonly Happening[];
  readonly holds: readonly HoldTold[];
  readonly guards: readonly GuardTold[];
  readonly risk: RiskTold;
  /** What a rehearsal takes for granted, as sentences. */
  readonly assumed: readonly string[];
}

export interface GuardTold {
  readonly guard: string;
  readonly judge: string;
  readonly metric: string;
  readonly shadow: boolean;
  /** Its first breach, and how long after the stage's opening; null if it never fired. */
  readonly fired: { readonly at: number; readonly stage: string; readonly afterMs: number } | null;
  /** Its newest verdict. */
  readonly verdict: Verdict | null;
  /** Its evidence over time against the boundary, at most 500 points. */
  readonly evidence: readonly PointTold[];
}
export interface PointTold {
  readonly at: number;
  readonly stage: string;
  readonly outcome: Verdict['outcome'];
  readonly reason: string;
  /** ln of the e-value, or what a judge without one looks at; null where there is neither. */
  readonly value: number | null;
  /** A breach at or beyond it. */
  readonly boundary: number | null;
}
export interface RiskTold {
  /** ln of the score at which it is rolled back. */
  readonly boundary: number;
  /** ln of the score that people see, over time. */
  readonly score: readonly { readonly at: number; readonly value: number }[];
}

export function rehearsalOf({ scene, trace }: Played): Rehearsal {
  const rollout = rolloutOf(scene);
  const { plan, environment, startedAt } = rollout;
  return {
    plan: plan.plan,
    environment,
    flag: plan.flag,
    from: startedAt,
    until: scene.at,
    checks: trace.checks,
    checkEvery: plan.checkEvery,
    ended: endingOf(scene),
    steps: stepsTold(scene),
    events: happenings(scene),
    holds: holdsTold(scene),
    guards: guardsTold(scene, trace),
    risk: riskTold(scene, trace),
    assumed: [
      STAND_INS,
      'The data are as they were recorded, whatever share of the traffic the plan would have given the new version.',
    ],
  };
}

function guardsTold(scene: Scene, { samples }: Trace): GuardTold[] {
  const { plan } = rolloutOf(scene);
  return plan.guards.map(({ name, judge, metric, shadow }) => {
    const evidence = samples.flatMap(({ at, stage, verdicts }) => {
      const verdict = verdicts.find(({ guard }) => guard === name);
      return verdict ? [{ at, stage, verdict }] : [];
    });
    const fired = evidence.find(({ verdict }) => verdict.outcome === 'breach');
    return {
      guard: name,
      judge,
      metric,
      shadow,
      fired: fired
        ? { at: fired.at, stage: fired.stage, afterMs: sinceOpened(scene, fired) }
        : null,
      verdict: evidence.at(-1)?.verdict ?? null,
      evidence: evidence.map(({ at, stage, verdict }) => pointOf(at, stage, verdict)),
    };
  });
}

function sinceOpened({ said }: Scene, { at, stage }: { at: number; stage: string }): number {
  const opened = said.find(
    ({ type, data }) => type === 'StageOpened' && 'step' in data && data.step === stage,
  );
  return at - (opened?.metadata.at ?? at);
}

function pointOf(at: number, stage: string, verdict: Verdict): PointTold {
  const { outcome, reason, logE, threshold, evidence } = verdict;
  const value = logE ?? evidence['value'] ?? evidence['count'] ?? null;
  const boundary = threshold ?? evidence['above'] ?? evidence['below'] ?? null;
  return { at, stage, outcome, reason, value, boundary };
}

function riskTold(scene: Scene, { samples }: Trace): RiskTold {
  const { risk, plan } = rolloutOf(scene);
  const logEs: Record<string, number> = {};
  const score = samples.map(({ at, stage, verdicts }) => {
    for (const { guard, logE } of verdicts) if (logE !== null) logEs[shareKey(guard, stage)] = logE;
    return { at, value: logScore({ risk, plan }, stage, logEs) };
  });
  return { boundary: -Math.log(risk.risk), score };
}
