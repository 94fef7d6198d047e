import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import {
  DeleteSegment,
  HoldSegment,
  PutSegment,
  ReleaseSegment,
  type SegmentCommand,
} from '@tidegate/contracts';
import { CHANGE_SEGMENT } from '../tokens.ts';
import type { ChangeSegment } from './change-segment.handler.ts';

/** Commands of rollouts and of outside systems, decided by the same rules as requests. */
@Controller()
export class SegmentConsumer {
  readonly #changeSegment: ChangeSegment;

  constructor(@Inject(CHANGE_SEGMENT) changeSegment: ChangeSegment) {
    this.#changeSegment = changeSegment;
  }

  @EventPattern([PutSegment.type, DeleteSegment.type, HoldSegment.type, ReleaseSegment.type])
  onCommand(@Payload() command: SegmentCommand) {
    return this.#changeSegment(command);
  }
}
