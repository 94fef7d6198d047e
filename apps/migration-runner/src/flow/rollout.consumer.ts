import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import {
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
import { ROLLOUT_STANDINGS } from '../tokens.ts';
import type { StandingEvent } from './rollout-standing.ts';
import type { RolloutStandings } from './rollout-standings.handler.ts';

/** What the guards of rollouts say, for the runs that belong to them. */
@Controller()
export class RolloutConsumer {
  readonly #standings: RolloutStandings;
  constructor(@Inject(ROLLOUT_STANDINGS) standings: RolloutStandings) {
    this.#standings = standings;
  }

  @EventPattern([
    StepStarted.type,
    RolloutHeld.type,
    RolloutPaused.type,
    RolloutResumed.type,
    RiskLevelReached.type,
    RiskLevelLeft.type,
    RollbackStarted.type,
    RolloutRolledBack.type,
    RolloutFailed.type,
    RolloutAborted.type,
    RolloutCompleted.type,
  ])
  onEvent(@Payload() event: StandingEvent) {
    return this.#standings.note(event);
  }
}
