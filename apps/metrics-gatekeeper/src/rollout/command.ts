import type {
  Plan,
  PromoteRollout,
  RolloutCommand,
  StartRollout,
  ThresholdBreached,
} from '@tidegate/contracts';
import type { Command, Rejection } from '@tidegate/kernel';
import type { StageEvidence } from '@tidegate/gates';
import type { ObservedMessage } from './observed.ts';

/** The plan version that a start means, found by the handler. */
export interface PinnedPlan {
  readonly plan: Plan;
  readonly version: number;
  readonly hash: string;
  /** What it can never see or prove with the traffic that there is. */
  readonly warnings?: readonly string[];
}

type Internal<T extends string, D> = Command & { readonly type: T; readonly data: D };

/** StartRollout with the plan it names, or why there is none. */
export type PinnedStart = Omit<StartRollout, 'data'> & {
  readonly data: StartRollout['data'] & { readonly pinned: PinnedPlan | Rejection };
};
/** PromoteRollout with what its newest check has counted: what is passed over is on record. */
export type SeenPromotion = Omit<PromoteRollout, 'data'> & {
  readonly data: PromoteRollout['data'] & { readonly evidence?: StageEvidence | undefined };
};
/** One check: what has been counted up to now, also where nothing could be read. */
export type Tick = Internal<'Tick', { readonly evidence: StageEvidence }>;
/** Something that another service said, of interest to this rollout. */
export type RecordEvent = Internal<'RecordEvent', ObservedMessage>;
/** A breach that somebody else found, or an own one coming back. */
export type RecordBreach = Internal<'RecordBreach', ThresholdBreached>;

/** An older backup of the store was put back, and its epoch was raised to this. */
export type StoreRestored = Internal<'StoreRestored', { readonly epoch: number }>;

/** All that changes a rollout. Tick, the two records and StoreRestored are made inside this service. */
export type AnyRolloutCommand =
  | Exclude<RolloutCommand, StartRollout | PromoteRollout>
  | PinnedStart
  | SeenPromotion
  | Tick
  | RecordEvent
  | RecordBreach
  | StoreRestored;
