import type { Verdict } from '@tidegate/contracts';
import type { StageEvidence } from '@tidegate/gates';
import { evolve } from './evolve.ts';
import type { RolloutMessage } from './message.ts';
import type { Rollout } from './state.ts';

/** What a check has found: the evidence, and each guard's verdict on it. */
export interface Check {
  readonly evidence: StageEvidence;
  readonly verdicts: readonly Verdict[];
}

/** What one command has led to so far: one rule can build on the state that another has reached. */
export interface Course<S extends Rollout = Rollout> {
  readonly at: number;
  readonly state: S;
  readonly messages: readonly RolloutMessage[];
  /** Only where the command is a check. */
  readonly check?: Check | undefined;
}

/** Goes on with more messages. They get their ids when they are saved; until then no rule reads them. */
export const emit = (course: Course, ...more: readonly RolloutMessage[]): Course => ({
  ...course,
  state: more.reduce<Rollout>(
    (before, draft) => evolve(before, { ...draft, metadata: { id: '', at: course.at } }),
    course.state,
  ),
  messages: [...course.messages, ...more],
});
