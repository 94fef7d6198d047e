import type { Plan } from '@tidegate/contracts';
import type { MetricsSource } from '@tidegate/metrics-source';
import { readFor } from '../check/read-for.handler.ts';
import { judge } from '../rollout/look.ts';
import { checkAt, isOver, opening, rolloutOf, type Scene } from './scene.ts';
import { noTrace, traced, type Trace } from './trace.ts';

/** A rehearsal as far as it has been played. Plain JSON: it can be put away and played on, also with other data. */
export interface Played {
  readonly scene: Scene;
  readonly trace: Trace;
  /** When the next check is due. */
  readonly nextAt: number;
}

export interface Stage {
  readonly source: MetricsSource;
  /** The last instant that there are data of, ms. */
  readonly until: number;
  /** Awaited between two checks: others have their turn. */
  readonly breathe: () => Promise<void>;
}

/** The plan's rollout, started at `at`; nothing has been checked. */
export const begin = (plan: Plan, environment: string, at: number): Played => ({
  scene: opening(plan, environment, at),
  trace: noTrace,
  nextAt: at,
});

/** Checks at the plan's interval until the rollout is over, the data end, or `stop` says so of what has been played. */
export async function play(
  played: Played,
  stage: Stage,
  stop: (played: Played) => boolean = () => false,
): Promise<Played> {
  let now = played;
  while (goesOn(now, stage) && !stop(now)) {
    now = await playOnce(now, stage);
    await stage.breathe();
  }
  return now;
}

/** Whether there is anything left to check. */
export const goesOn = ({ scene, nextAt }: Played, { until }: Stage): boolean =>
  nextAt <= until && !isOver(scene);

/** One check: it reads what a real one reads. */
export async function playOnce(played: Played, { source }: Stage): Promise<Played> {
  const { scene: before, nextAt: at } = played;
  const rollout = rolloutOf(before);
  const { readings, known } = await readFor(source, rollout, before.evidence, at);
  const scene = checkAt({ ...before, evidence: known }, readings, at);
  return { scene, trace: traceOf(played, scene), nextAt: at + rollout.plan.checkEvery };
}

function traceOf({ scene: before, trace }: Played, scene: Scene): Trace {
  const { evidence, at } = scene;
  if (!evidence) return trace;
  return traced(trace, scene.said.length > before.said.length, () => ({
    at,
    stage: evidence.stage,
    verdicts: judge(rolloutOf(scene), evidence, at),
  }));
}
