import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import {
  DeleteFlag,
  DisableFlag,
  EnableFlag,
  type FlagCommand,
  HoldFlag,
  PutFlag,
  ReleaseFlag,
  RestoreFlag,
  ScheduleFlag,
  SetExposure,
} from '@tidegate/contracts';
import { CHANGE_FLAG } from '../tokens.ts';
import type { ChangeFlag } from './change-flag.handler.ts';

/** Commands of rollouts and of outside systems. What topics their writers may use is the broker's to say. */
@Controller()
export class FlagConsumer {
  readonly #changeFlag: ChangeFlag;

  constructor(@Inject(CHANGE_FLAG) changeFlag: ChangeFlag) {
    this.#changeFlag = changeFlag;
  }

  @EventPattern([
    PutFlag.type,
    DeleteFlag.type,
    SetExposure.type,
    HoldFlag.type,
    ReleaseFlag.type,
    EnableFlag.type,
    ScheduleFlag.type,
  ])
  onCommand(@Payload() command: FlagCommand) {
    return this.#changeFlag(command);
  }

  @EventPattern([DisableFlag.type, RestoreFlag.type])
  onKill(@Payload() command: FlagCommand) {
    return this.#changeFlag(command);
  }
}
