import { type PlanStep, stepKind, stepName } from '@tidegate/contracts';
import { type Fact, formatDuration } from '@tidegate/kernel';
import { whatHappened } from '../history/report.ts';
import type { RolloutMessage } from '../rollout/message.ts';
import { rolloutOf, type Scene } from './scene.ts';

/** How it would have ended; `unfinished`: the recording ended first. */
export interface Ending {
  readonly outcome: 'completed' | 'rolled-back' | 'failed' | 'aborted' | 'unfinished';
  readonly at: number;
  /** Since it began, ms. */
  readonly afterMs: number;
  readonly reason: string;
  readonly message: string;
}
export interface Happening {
  readonly at: number;
  readonly afterMs: number;
  readonly type: string;
  readonly what: string;
}
export interface StepTold {
  readonly step: string;
  readonly kind: string;
  /** In thousandths of a percent. */
  readonly percentage?: number;
  readonly beganAt: number | null;
  readonly endedAt: number | null;
  /** Covered by successful checks, of `holdMs`. */
  readonly coveredMs?: number;
  readonly holdMs?: number;
}
export interface HoldTold {
  readonly from: number;
  readonly until: number;
  readonly reason: string;
  readonly message: string;
  /** A person would have been called. */
  readonly paged: boolean;
}

type FactOf<T extends RolloutMessage['type']> = Fact<Extract<RolloutMessage, { type: T }>>;
const ofType =
  <T extends RolloutMessage['type']>(type: T) =>
  (fact: Fact<RolloutMessage>): fact is FactOf<T> =>
    fact.type === type;

export function endingOf(scene: Scene): Ending {
  const rollout = rolloutOf(scene);
  const begun = rollout.startedAt;
  switch (rollout.status) {
    case 'completed':
    case 'rolled-back':
    case 'failed':
    case 'aborted': {
      const { status, endedAt, reason, message } = rollout;
      return { outcome: status, at: endedAt, afterMs: endedAt - begun, reason, message };
    }
    default: {
      const { at } = scene;
      const end = { outcome: 'unfinished', at, afterMs: at - begun } as const;
      if (rollout.status === 'holding') {
        const { reason, message } = rollout.hold;
        return { ...end, reason, message: `The data end while it holds. ${message}` };
      }
      return { ...end, reason: 'data-ended', message: `The data end ${whereOf(scene)}.` };
    }
  }
}

function whereOf(scene: Scene): string {
  const { plan, position } = rolloutOf(scene);
  const step = position && plan.steps[position.index];
  if (!step) return 'before its first step begins';
  const name = stepName(step);
  if (!('hold' in step) || position.phase !== 'open') return `while it waits at ${name}`;
  const covered = formatDuration(scene.evidence?.coveredMs ?? 0);
  return `in ${name}, after ${covered} of ${formatDuration(step.hold)}`;
}

export function happenings({ said, ...scene }: Scene): Happening[] {
  const begun = rolloutOf({ ...scene, said }).startedAt;
  return said.flatMap(({ type, data, metadata: { at } }) => {
    const what = whatHappened(type, data);
    return what === undefined ? [] : [{ at, afterMs: at - begun, type, what }];
  });
}

export function stepsTold(scene: Scene): StepTold[] {
  const { plan, position } = rolloutOf(scene);
  return plan.steps.map((step, index) => {
    const of = <T extends RolloutMessage['type']>(type: T) =>
      scene.said.filter(ofType(type)).find(({ data }) => 'index' in data && data.index === index);
    const done = of('StepCompleted');
    const now = position?.index === index ? scene.evidence?.coveredMs : undefined;
    const coveredMs = done?.data.coveredMs ?? now;
    return {
      step: stepName(step),
      kind: stepKind(step),
      ...('percentage' in step && step.percentage !== undefined
        ? { percentage: step.percentage }
        : {}),
      beganAt: of('StepStarted')?.metadata.at ?? null,
      endedAt: done?.metadata.at ?? null,
      ...heldFor(step, coveredMs),
    };
  });
}

const heldFor = (step: PlanStep, coveredMs: number | undefined) =>
  'hold' in step
    ? {
        holdMs: step.hold,
        ...(coveredMs === undefined ? {} : { coveredMs: Math.round(coveredMs) }),
      }
    : {};

const ENDS_HOLD: ReadonlySet<string> = new Set([
  'RolloutResumed',
  'StepCompleted',
  'StepStarted',
  'RollbackStarted',
  'RolloutCompleted',
  'RolloutAborted',
]);

/** From when until when it would have held, and why. An approval that is given at once is none. */
export function holdsTold({ said, at }: Scene): HoldTold[] {
  const holds: HoldTold[] = [];
  let open: HoldTold | undefined;
  const close = (until: number): void => {
    if (open) holds.push({ ...open, until });
    open = undefined;
  };
  for (const fact of said) {
    const now = fact.metadata.at;
    if (ENDS_HOLD.has(fact.type)) close(now);
    if (!ofType('RolloutHeld')(fact)) continue;
    const { reason, message, page } = fact.data;
    if (open && open.reason !== reason) close(now);
    const paged = page || (open?.paged ?? false);
    open = { from: open?.from ?? now, until: now, reason, message, paged };
  }
  close(at);
  return holds;
}
