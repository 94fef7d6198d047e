import type { Plan } from '@tidegate/contracts';
import { readFor } from '../check/read-for.handler.ts';
import { judge, look } from '../rollout/look.ts';
import { type Change, changeText } from './injection.ts';
import {
  haveAllFired,
  type Mutation,
  mutationOf,
  nothingYet,
  reactionOf,
  watched,
} from './mutation.ts';
import type { Stage } from './play.handler.ts';
import type { Opening, Playthrough } from './playthrough.handler.ts';
import { rolloutOf } from './scene.ts';

/**
 * Makes each change when each stage or bake has just opened, and lets every guard judge it, as if no other guard had
 * rolled back before: so each is seen by itself. It is watched for as long as the step was open in the rehearsal, and
 * at least for its hold time.
 */
export async function mutate(
  plan: Plan,
  { openings, end }: Playthrough,
  changes: readonly Change[],
  stageWith: (change: Change, from: number) => Stage,
): Promise<Mutation> {
  const reactions = [];
  for (const change of changes)
    for (const [index, opening] of openings.entries()) {
      const from = opening.played.nextAt;
      const leftAt = (openings[index + 1]?.played ?? end).scene.at;
      const until = isSilence(change)
        ? from + plan.pageAfter
        : Math.max(leftAt, from + holdOf(plan, opening.step));
      const guards = await watch(plan, opening, stageWith(change, from), until);
      const since = opening.played.scene.at;
      for (const each of guards)
        reactions.push(reactionOf(changeText(change), opening.step, each, since));
    }
  return mutationOf(plan, reactions);
}

/** Of missing data all is known once they page. */
const isSilence = ({ kind }: Change): boolean => kind === 'drop' || kind === 'stop-scrape';

const holdOf = ({ steps }: Plan, name: string): number => {
  const step = steps.find(
    (each) => ('stage' in each && each.stage === name) || ('bake' in each && each.bake === name),
  );
  return step && 'hold' in step ? step.hold : 0;
};

/** The rollout stays where it is; only its guards look on. */
async function watch(plan: Plan, { played }: Opening, stage: Stage, until: number) {
  const rollout = rolloutOf(played.scene);
  let guards = nothingYet(plan);
  let { evidence } = played.scene;
  const end = Math.min(until, stage.until);
  for (let at = played.nextAt; at <= end; at += plan.checkEvery) {
    const { readings, known } = await readFor(stage.source, rollout, evidence, at);
    evidence = look(rollout, known, readings, at);
    guards = watched(guards, judge(rollout, evidence, at), at);
    if (haveAllFired(guards)) break;
    await stage.breathe();
  }
  return guards;
}
