import {
  GuardWouldBreach,
  type Message,
  type MessageOf,
  PlanVersionCreated,
  RolloutHeld,
  StageOpened,
  ThresholdBreached,
  type Verdict,
} from '@tidegate/contracts';
import { isMissingData } from '@tidegate/gates';
import type { Existing } from '../rollout/state.ts';
import type { Done } from './guard-record.ts';

/** What tells of guards. */
export const telling = [
  PlanVersionCreated.type,
  StageOpened.type,
  RolloutHeld.type,
  GuardWouldBreach.type,
  ThresholdBreached.type,
];

type Told =
  | MessageOf<typeof StageOpened>
  | MessageOf<typeof RolloutHeld>
  | MessageOf<typeof GuardWouldBreach>
  | ThresholdBreached;

/** What the guards of a rollout did by this event; nothing if it tells of none of ours. */
export function doneIn(
  event: Message,
  { id: rollout, startedAt, plan }: Pick<Existing, 'id' | 'startedAt' | 'plan'>,
): readonly Done[] {
  const { at, revision } = event.metadata;
  if (!revision) return []; // somebody else's breach
  const done = (deed: Done['deed'], guards: readonly string[]): Done => ({
    rollout,
    startedAt,
    at,
    deed,
    guards,
  });
  const told = event as Told;
  switch (told.type) {
    case 'StageOpened':
      return [
        done(
          'judged',
          plan.guards.map(({ name }) => name),
        ),
      ];
    case 'RolloutHeld':
      return [
        done(
          'heldForData',
          told.data.verdicts.filter(holdsForData).map(({ guard }) => guard),
        ),
      ];
    case 'GuardWouldBreach':
      return [done('judged', [told.data.guard]), done('wouldHaveBreached', [told.data.guard])];
    case 'ThresholdBreached':
      return [done('judged', [told.data.guard]), done('breached', [told.data.guard])];
  }
}

const holdsForData = ({ outcome, reason, shadow }: Verdict): boolean =>
  outcome === 'hold' && shadow !== true && isMissingData(reason);
