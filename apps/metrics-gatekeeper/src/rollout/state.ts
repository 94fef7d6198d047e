import {
  type FlagDefinition,
  isWatchedStep,
  type Plan,
  type PlanStep,
  type References,
  type StageStep,
  watchedName,
} from '@tidegate/contracts';
import type { Revision } from '@tidegate/kernel';
import type { PinnedRisk } from '@tidegate/gates';
import type { Action } from './action.ts';

/** A command that is not answered yet. Each time it is sent it has a new id; an answer to any of them counts. */
export interface Sent {
  readonly command: string;
  readonly ids: readonly string[];
  readonly at: number;
  /** A person has been paged because the answer is late. */
  readonly late: boolean;
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Whether a flag or a segment is held for this rollout: nobody else may move its users meanwhile. */
export type Claim =
  | { readonly status: 'asked'; readonly sent: Sent }
  | { readonly status: 'held' }
  | ({ readonly status: 'refused' } & Refusal)
  | { readonly status: 'lost'; readonly by: string };

export interface ReferenceName {
  readonly kind: 'flag' | 'segment';
  readonly key: string;
}

/** What the flag refers to, by itself or through others: it is held as well, and never changed by the rollout. */
export interface Reference extends ReferenceName {
  readonly claim: Claim;
  /** Of the definition that is relied on. */
  readonly revision?: Revision | undefined;
  readonly disabled: boolean;
  /** What it refers to in turn, once it has answered. */
  readonly refersTo: References;
}

/** Where in the plan it stands. `since`: when the step began; `late`: its deadline was missed, and paged. */
export interface Place {
  readonly index: number;
  readonly since: number;
  readonly late: boolean;
  /** How often the step's migration was begun anew. */
  readonly attempt: number;
}
export type Position = Place & Phase;

export type Phase =
  /** Reached; a stage waits here for a check that answers before it opens. */
  | { readonly phase: 'waiting' }
  | { readonly phase: 'opening'; readonly sent: Sent }
  | { readonly phase: 'open'; readonly openedAt: number }
  | { readonly phase: 'asked'; readonly run: string; readonly sent: Sent }
  | { readonly phase: 'moving'; readonly run: string }
  | { readonly phase: 'stopped'; readonly run: string; readonly reason: string }
  | { readonly phase: 'cancelled'; readonly reason: string }
  | { readonly phase: 'approval' }
  /** A command of this step was refused: a person decides. */
  | ({ readonly phase: 'refused' } & Refusal)
  /** The migration or the approval is complete: left as soon as the rollout runs. */
  | { readonly phase: 'done' };

/** Why it does not go on. `since` lets a page come once, at its time. */
export interface Hold {
  readonly reason: string;
  readonly message: string;
  readonly since: number;
  readonly paged: boolean;
}

/** A run that a step has asked for. `changed`: how many documents are no longer as they were, once it has ended. */
export interface StepRun {
  readonly index: number;
  readonly run: string;
  readonly changed?: number | undefined;
}

/** Whether the metrics are good again: judged once, on what is counted after the rollback. */
export type Recovery =
  | { readonly status: 'awaited' }
  | {
      readonly status: 'recovered' | 'persisting';
      readonly at: number;
      readonly message: string;
    };

/** Below the score that rolls back, highest first. */
export const riskLevelNames = ['hold', 'notify'] as const;
export type RiskLevelName = (typeof riskLevelNames)[number];

export interface Rollback {
  readonly startedAt: number;
  readonly reason: string;
  readonly message: string;
  readonly by: string;
  readonly actions: readonly Action[];
}

/** What every rollout carries from its start. */
export interface Common {
  readonly id: string;
  readonly environment: string;
  readonly plan: Plan;
  readonly version: number;
  readonly hash: string;
  readonly risk: PinnedRisk;
  readonly startedBy: string;
  readonly startedAt: number;
  /** Raised by each rollback: what was sent before comes too late. */
  readonly generation: number;
  readonly claim: Claim;
  /** What the flag itself refers to, as it was when it was last held. */
  readonly refersTo?: References | undefined;
  readonly references?: readonly Reference[] | undefined;
  /** The flag as it was when it was first held: what a rollback puts back. */
  readonly before?: FlagDefinition | undefined;
  readonly flagDisabled: boolean;
  /** What the flag serves now, as far as it is known: a stage never opens less. */
  readonly exposure?: FlagDefinition['exposure'] | undefined;
  /** The stage or bake whose exposure was asked for last, and when: what the evidence is about. */
  readonly exposed?: { readonly stage: string; readonly at: number } | undefined;
  /** Since when, without a break, the time of the open stage has counted: see `isCounting`. */
  readonly countedFrom: number;
  /** Breaches that have been acted on, `fingerprint@startsAt`: a repeat changes nothing. */
  readonly breaches: readonly string[];
  readonly position?: Position | undefined;
  /** Of its migrate steps, oldest first; a step that was begun anew has several. */
  readonly runs?: readonly StepRun[] | undefined;
  /** ln E of every guard × step that was left on its verdicts, or breached, by share key. */
  readonly logEs?: Readonly<Record<string, number>> | undefined;
  /** The levels that the risk score has come to and not left since, each with its sentence. */
  readonly levels?: Readonly<Partial<Record<RiskLevelName, string>>> | undefined;
  /** Guard × step of those in shadow that would have rolled back, by share key. */
  readonly wouldHaveBreached?: readonly string[] | undefined;
}

/** Why the gatekeeper paused a rollout by itself: an older backup of the store was put back. */
export const STORE_RESTORED = 'store-restored';

type With<S extends string, F = unknown> = Common & { readonly status: S } & F;
/** How it ended, and when. */
export interface End {
  readonly endedAt: number;
  readonly reason: string;
  readonly message: string;
}
interface Positioned {
  readonly position: Position;
}

export type Pending = With<'pending'>;
export type Running = With<'running', Positioned>;
export type Holding = With<'holding', Positioned & { readonly hold: Hold }>;
export type Paused = With<
  'paused',
  {
    readonly by: string;
    readonly reason: string;
    readonly pausedAt: number;
    /** The named reason, where a service paused it by itself. */
    readonly because?: string | undefined;
    /** What a person has been called for last: a pause does not stop that from being so. */
    readonly told?: Hold | undefined;
  }
>;
export type RollingBack = With<'rolling-back', { readonly rollback: Rollback }>;
export type Failed = With<'failed', End & { readonly rollback: Rollback }>;
export type RolledBack = With<
  'rolled-back',
  End & {
    readonly rollback: Rollback;
    /** Absent where there is nothing to judge it by. */
    readonly recovery?: Recovery | undefined;
  }
>;
export type Aborted = With<'aborted', End & { readonly by: string }>;
export type Completed = With<'completed', End>;

/** Running, or held back by a reason: what goes on by itself. */
export type Going = Running | Holding;
/** What a breach rolls back, and a check looks after. */
export type Live = Pending | Going | Paused;
export type Existing = Live | RollingBack | Failed | RolledBack | Aborted | Completed;
export type Rollout = { readonly status: 'absent' } | Existing;

export const statuses = [
  'pending',
  'running',
  'holding',
  'paused',
  'rolling-back',
  'failed',
  'rolled-back',
  'aborted',
  'completed',
] as const satisfies readonly Existing['status'][];

export const isGoing = (rollout: Rollout): rollout is Going =>
  rollout.status === 'running' || rollout.status === 'holding';
export const isLive = (rollout: Rollout): rollout is Live =>
  isGoing(rollout) || rollout.status === 'pending' || rollout.status === 'paused';
/** Whether a check must look after it: also a rollback has a deadline, and what it has led to is judged. */
export const isWatched = (rollout: Rollout): rollout is Live | RollingBack | RolledBack =>
  isLive(rollout) || rollout.status === 'rolling-back' || awaitsRecovery(rollout);

export const awaitsRecovery = (rollout: Rollout): rollout is RolledBack =>
  rollout.status === 'rolled-back' && rollout.recovery?.status === 'awaited';

/** Whether there is something to recover from, and something to see it by. */
export const hasToRecover = ({ plan, exposed }: Common): boolean =>
  exposed !== undefined && plan.guards.some(({ shadow }) => !shadow);

/** Whether nobody else can move the flag's users: it is held, and so is all that it refers to. */
export const holdsAll = ({ claim, references = [] }: Common): boolean =>
  claim.status === 'held' && references.every((each) => each.claim.status === 'held');

/** The flag, or what it refers to, that is disabled: nobody is served what a stage opens. */
export const disabledKey = ({ plan, flagDisabled, references = [] }: Common): string | undefined =>
  flagDisabled ? plan.flag : references.find(({ disabled }) => disabled)?.key;

/** Whether the time of its stage counts: it is open, nobody has paused the rollout, and the flag is ours and enabled. */
export const isCounting = (rollout: Existing): boolean =>
  isGoing(rollout) &&
  rollout.position.phase === 'open' &&
  holdsAll(rollout) &&
  disabledKey(rollout) === undefined;

export function stepAt({ plan }: Common, index: number): PlanStep {
  const step = plan.steps[index];
  if (!step) throw new TypeError(`The plan ${plan.plan} has no step ${index}.`);
  return step;
}

/** Where the plan has the stage or bake of this name; -1 if nowhere. */
export const watchedIndex = ({ steps }: Plan, name: string | undefined): number =>
  steps.findIndex((step) => isWatchedStep(step) && watchedName(step) === name);

/** The stage whose exposure holds at a step of the plan: its own, or the last one before; undefined before the first. */
export const stageUpTo = ({ steps }: Plan, index: number): StageStep | undefined =>
  steps.slice(0, index + 1).findLast((step): step is StageStep => 'stage' in step);

/** The stage whose exposure was asked for last. */
export const exposedStage = ({ plan, exposed }: Common): StageStep | undefined =>
  stageUpTo(plan, watchedIndex(plan, exposed?.stage));

/** Nothing that was counted before a backup was put back is judged, until a person has looked. */
export const isUnjudged = (rollout: Existing): boolean =>
  rollout.status === 'paused' && rollout.because === STORE_RESTORED;

/**
 * Whether it is looked after for the sake of a stage that closes when nobody does: one that was opened before may
 * still be open. Of one that is not judged nobody can say so.
 */
export const isCaredFor = (rollout: Existing): boolean =>
  rollout.status !== 'rolled-back' &&
  !isUnjudged(rollout) &&
  rollout.plan.steps.some((step) => 'stage' in step && step.closeIfSilentFor !== undefined);

/** The migration run that works for this rollout, or may begin to. */
export const activeRun = ({ position }: Common): string | undefined =>
  position?.phase === 'asked' || position?.phase === 'moving' ? position.run : undefined;

/** The command whose answer the rollout waits for, if any. */
export function awaited({ claim, references = [], position }: Common): Sent | undefined {
  if (claim.status === 'asked') return claim.sent;
  for (const { key, claim } of references)
    if (claim.status === 'asked' && !claim.sent.late)
      return { ...claim.sent, command: `${claim.sent.command} of ${key}` };
  return position && 'sent' in position ? position.sent : undefined;
}

export const breachKey = (breach: { fingerprint: string; startsAt: number }): string =>
  `${breach.fingerprint}@${breach.startsAt}`;
