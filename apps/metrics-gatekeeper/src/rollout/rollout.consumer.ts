import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import {
  AbortRollout,
  ApproveRollout,
  FlagCommandAnswered,
  FlagDisabled,
  FlagEnabled,
  FlagHeld,
  FlagReleased,
  MigrationCancelled,
  MigrationCommandAnswered,
  MigrationCompleted,
  MigrationFailed,
  MigrationPaused,
  MigrationResumed,
  MigrationStarted,
  PauseRollout,
  PromoteRollout,
  ResumeRollout,
  RollBack,
  type RolloutCommand,
  SegmentCommandAnswered,
  SegmentHeld,
  SegmentReleased,
  StartRollout,
  ThresholdBreached,
} from '@tidegate/contracts';
import { ROLLOUTS } from '../tokens.ts';
import type { ObservedMessage } from './observed.ts';
import type { Rollouts } from './rollouts.handler.ts';

/** Commands of outside systems, answers of the other services, breaches. Approvals come over HTTP only. */
@Controller()
export class RolloutConsumer {
  readonly #rollouts: Rollouts;

  constructor(@Inject(ROLLOUTS) rollouts: Rollouts) {
    this.#rollouts = rollouts;
  }

  @EventPattern(StartRollout.type)
  onStart(@Payload() command: StartRollout) {
    return this.#rollouts.start(command);
  }

  @EventPattern([PauseRollout.type, ResumeRollout.type, PromoteRollout.type])
  onCommand(@Payload() command: Exclude<RolloutCommand, StartRollout>) {
    return this.#rollouts.change(command);
  }

  @EventPattern(ApproveRollout.type)
  onApprove(@Payload() command: ApproveRollout) {
    return this.#rollouts.refuseApproval(command);
  }

  @EventPattern([RollBack.type, AbortRollout.type])
  onKill(@Payload() command: RollBack | AbortRollout) {
    return this.#rollouts.change(command);
  }

  @EventPattern([
    FlagHeld.type,
    FlagReleased.type,
    FlagDisabled.type,
    FlagEnabled.type,
    FlagCommandAnswered.type,
    SegmentHeld.type,
    SegmentReleased.type,
    SegmentCommandAnswered.type,
    MigrationStarted.type,
    MigrationPaused.type,
    MigrationResumed.type,
    MigrationCompleted.type,
    MigrationFailed.type,
    MigrationCancelled.type,
    MigrationCommandAnswered.type,
  ])
  onEvent(@Payload() message: ObservedMessage) {
    return this.#rollouts.observe(message);
  }

  @EventPattern(ThresholdBreached.type)
  onBreach(@Payload() message: ThresholdBreached) {
    return this.#rollouts.breach(message);
  }
}
