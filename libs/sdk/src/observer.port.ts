import type { Details, EvaluationContext } from '@tidegate/evaluation';
import type { Tidegate } from './tidegate.port.ts';

/** What wants to know what a client answers: counters of exposure, traces. One that throws is reported and disturbs nobody. */
export interface Observer {
  /** Once, before the first evaluation. */
  attached?(flags: Tidegate): void;
  /** After each evaluation, on the caller's time. `details` is shared: read it, do not keep it for long. */
  evaluated?(key: string, details: Details, context: EvaluationContext | undefined): void;
}

export interface TidegateHooks {
  /** Who asks, where the call does not say; `currentContext` of `@tidegate/sdk/context` is one. */
  readonly contextOf?: (() => EvaluationContext | undefined) | undefined;
  readonly observers?: readonly Observer[] | undefined;
}
