import type { Plan } from '@tidegate/contracts';
import { readsOf } from '@tidegate/gates';
import type { MetricsSource } from '@tidegate/metrics-source';
import { judge } from '../rollout/look.ts';
import { checkAt, isOver, opening, rolloutOf, type Scene } from './scene.ts';
import { noTrace, traced, type Trace } from './trace.ts';

/** A rehearsal as far as it has been played. Plain JSON: it can be put away and played on. */
export interface Played {
  readonly scene: Scene;
  readonly trace: Trace;
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
});

/**
 * Checks at the plan's interval until the rollout is over, the data end, or `stop` says so of what has been played.
 * @param from the first check; the next ones follow at the plan's interval
 */
export async function play(
  played: Played,
  { source, until, breathe }: Stage,
  from: number,
  stop: (played: Played) => boolean = () => false,
): Promise<Played> {
  const { plan } = rolloutOf(played.scene);
  const reads = readsOf(plan);
  let now = played;
  for (let at = from; at <= until && !isOver(now.scene) && !stop(now); at += plan.checkEvery) {
    const readings = await source.read(reads, at);
    now = checked(now, checkAt(now.scene, readings, at));
    await breathe();
  }
  return now;
}

function checked({ scene: before, trace }: Played, scene: Scene): Played {
  const { evidence, at } = scene;
  if (!evidence) return { scene, trace };
  const news = scene.said.length > before.said.length;
  const sample = () => ({
    at,
    stage: evidence.stage,
    verdicts: judge(rolloutOf(scene), evidence, at),
  });
  return { scene, trace: traced(trace, news, sample) };
}
