import type { Plan } from '@tidegate/contracts';
import { type Clock, isRejection, reject, type Rejection } from '@tidegate/kernel';
import { type Begin, type Change, type Injection, readInjection } from './injection.ts';
import { standardChanges } from './standard-changes.ts';
import { inject } from './inject.ts';
import { mutate } from './mutation.handler.ts';
import type { Mutation } from './mutation.ts';
import { begin, play, type Played, type Stage } from './play.handler.ts';
import { type Playthrough, playThrough, standingAt } from './playthrough.handler.ts';
import { planOn, type Recording, type Span, sourceOf, spanToPlay } from './recording.ts';
import { type Rehearsal, rehearsalOf } from './result.ts';
import { inSlices } from './slices.loop.ts';

export interface Wanted extends Span {
  readonly plan: Plan;
  readonly environment: string;
  readonly recording: Recording;
  /** As people write them: see `readInjection`. */
  readonly inject: readonly string[];
  /** Also all standard injections, at every stage and bake. */
  readonly mutate: boolean;
}

/** What became of one injection. */
export interface Injected {
  readonly injection: string;
  /** When it began, ms since 1970; null if the rehearsal never came to that. */
  readonly at: number | null;
  /** The guard that rolled it back, and how long after the injection. */
  readonly firedBy: { readonly guard: string; readonly afterMs: number } | null;
  readonly message: string;
  readonly rehearsal: Rehearsal | null;
}

export interface RehearsalAnswer extends Rehearsal {
  readonly injections: readonly Injected[];
  readonly mutation: Mutation | null;
}

export interface Rehearsals {
  /** Refused where the plan cannot be played on the recording, or one is being played already. */
  run(wanted: Wanted): Promise<RehearsalAnswer | Rejection>;
}

/** One at a time: rollouts that are real come first. @param stopping ends what is under way */
export function createRehearsals(clock: Clock, stopping?: AbortSignal): Rehearsals {
  let busy = false;
  return {
    async run(wanted) {
      if (busy)
        return reject(
          'REHEARSAL_BUSY',
          'Another plan is being rehearsed here; try again in a moment.',
        );
      busy = true;
      try {
        return await rehearse(wanted, inSlices(clock, stopping));
      } finally {
        busy = false;
      }
    },
  };
}

async function rehearse(
  wanted: Wanted,
  breathe: () => Promise<void>,
): Promise<RehearsalAnswer | Rejection> {
  const { recording, environment } = wanted;
  const plan = planOn(recording, wanted.plan);
  const span = spanToPlay(recording, plan, wanted);
  if (isRejection(span)) return span;
  const injections = wanted.inject.map((text) => readInjection(text, plan));
  const malformed = injections.find(isRejection);
  if (malformed) return malformed;
  const { until } = span;
  const stageOn = (played: Recording): Stage => ({ source: sourceOf(played), until, breathe });
  const changed = (change: Change, from: number) => stageOn(inject(recording, plan, change, from));
  const begun = begin(plan, environment, span.from);
  const stage = stageOn(recording);
  const whole = await playThrough(begun, stage);
  const told: Injected[] = [];
  for (const injection of injections)
    if (!isRejection(injection))
      told.push(await injected(injection, { whole, begun, stage, changed }));
  const mutation = wanted.mutate ? await mutate(plan, whole, standardChanges(plan), changed) : null;
  return { ...rehearsalOf(whole.end), injections: told, mutation };
}

interface Ground {
  readonly whole: Playthrough;
  readonly begun: Played;
  readonly stage: Stage;
  readonly changed: (change: Change, from: number) => Stage;
}

async function injected({ text, change, begin }: Injection, ground: Ground): Promise<Injected> {
  const standing = await standingFor(begin, ground);
  if (!standing)
    return {
      injection: text,
      at: null,
      firedBy: null,
      message: `Without it the rehearsal ended before ${text} could begin.`,
      rehearsal: null,
    };
  const { played, at } = standing;
  const end = await play(played, ground.changed(change, at));
  const rehearsal = rehearsalOf(end);
  const breach = end.scene.said
    .slice(played.scene.said.length)
    .find(({ type }) => type === 'ThresholdBreached');
  const firedBy =
    breach && 'guard' in breach.data
      ? { guard: breach.data.guard, afterMs: breach.metadata.at - at }
      : null;
  return { injection: text, at, firedBy, message: rehearsal.ended.message, rehearsal };
}

/** How the rehearsal stood when an injection begins, and when that is; undefined if it never came so far. */
async function standingFor(
  begin: Begin,
  { whole, begun, stage }: Ground,
): Promise<{ readonly played: Played; readonly at: number } | undefined> {
  if ('step' in begin) {
    const opening = whole.openings.find(({ step }) => step === begin.step);
    return opening && { played: opening.played, at: opening.played.scene.at };
  }
  const at = 'at' in begin ? begin.at : begun.scene.at + begin.afterMs;
  if (at > whole.end.scene.at || at < begun.scene.at) return undefined;
  return { played: await standingAt(whole, begun, stage, at), at };
}
