import type {
  MessageOf,
  RiskLevelLeft,
  RiskLevelReached,
  RollbackStarted,
  RolloutAborted,
  RolloutCompleted,
  RolloutFailed,
  RolloutHeld,
  RolloutPaused,
  RolloutResumed,
  RolloutRolledBack,
  StepStarted,
} from '@tidegate/contracts';

/** What a rollout's guards say of going on, in its own sentences. */
export interface Standing {
  readonly hold?: string;
  readonly risk?: string;
}

export type StandingEvent =
  | MessageOf<typeof StepStarted>
  | MessageOf<typeof RolloutHeld>
  | MessageOf<typeof RolloutPaused>
  | MessageOf<typeof RolloutResumed>
  | MessageOf<typeof RiskLevelReached>
  | MessageOf<typeof RiskLevelLeft>
  | MessageOf<typeof RollbackStarted>
  | MessageOf<typeof RolloutRolledBack>
  | MessageOf<typeof RolloutFailed>
  | MessageOf<typeof RolloutAborted>
  | MessageOf<typeof RolloutCompleted>;

/** What holds a rollout because of its run, or for a person, is no reason to hold the run. */
const NOT_OF_GUARDS: ReadonlySet<string> = new Set([
  'migration-paused',
  'migration-cancelled',
  'migration-refused',
  'awaiting-approval',
]);

export function standingAfter(before: Standing, { type, data }: StandingEvent): Standing {
  const { hold: _hold, ...withoutHold } = before;
  switch (type) {
    case 'RolloutHeld':
      return NOT_OF_GUARDS.has(data.reason) ? withoutHold : { ...before, hold: data.message };
    case 'StepStarted':
    case 'RolloutPaused': // its run is told to pause; what is in its way then is told again
    case 'RolloutResumed':
      return withoutHold;
    case 'RiskLevelReached':
      return data.level === 'hold' ? { ...before, risk: data.message } : before;
    case 'RiskLevelLeft': {
      const { risk: _risk, ...withoutRisk } = before;
      return data.level === 'hold' ? withoutRisk : before;
    }
    default:
      return {}; // it is over, or its rollback has taken over
  }
}

/** Undefined: its guards are in nobody's way. */
export function heldSentence(rollout: string, { risk, hold }: Standing): string | undefined {
  const why = risk ?? hold;
  return why === undefined ? undefined : `Rollout ${rollout} is held: ${why}`;
}
