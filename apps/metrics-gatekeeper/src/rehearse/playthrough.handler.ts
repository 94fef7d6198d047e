import { stepName } from '@tidegate/contracts';
import { goesOn, play, type Played, playOnce, type Stage } from './play.handler.ts';
import { isOver, rolloutOf } from './scene.ts';
import { stepAt } from '../rollout/state.ts';

/** The whole rehearsal, and how it stood whenever a stage or bake had just begun: from there it can go another way. */
export interface Playthrough {
  readonly end: Played;
  readonly openings: readonly Opening[];
}
export interface Opening {
  readonly step: string;
  readonly played: Played;
}

/** Plays to the end. */
export async function playThrough(begun: Played, stage: Stage): Promise<Playthrough> {
  const openings: Opening[] = [];
  let open: number | undefined;
  let now = begun;
  while (goesOn(now, stage)) {
    now = await playOnce(now, stage);
    const rollout = rolloutOf(now.scene);
    const { position } = rollout;
    const index = position?.phase === 'open' ? position.index : undefined;
    const isNew = index !== undefined && index !== open && !isOver(now.scene);
    if (isNew) openings.push({ step: stepName(stepAt(rollout, index)), played: now });
    open = index;
    await stage.breathe();
  }
  return { end: now, openings };
}

/** How it stood at an instant: played on from the last opening before it, or from the beginning. */
export function standingAt(
  { openings }: Playthrough,
  begun: Played,
  stage: Stage,
  at: number,
): Promise<Played> {
  const before = openings.findLast(({ played }) => played.scene.at <= at);
  return play(before?.played ?? begun, stage, ({ nextAt }) => nextAt > at);
}
