import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import {
  type Message,
  SegmentChanged,
  SegmentCreated,
  SegmentDeleted,
  type SegmentEvent,
  SegmentHeld,
  SegmentRecovered,
  SegmentReleased,
} from '@tidegate/contracts';
import { SEGMENT_HISTORY } from '../tokens.ts';
import type { SegmentHistory } from './history.handler.ts';

@Controller()
export class SegmentHistoryConsumer {
  readonly #history: SegmentHistory;

  constructor(@Inject(SEGMENT_HISTORY) history: SegmentHistory) {
    this.#history = history;
  }

  @EventPattern(
    [
      SegmentCreated.type,
      SegmentChanged.type,
      SegmentHeld.type,
      SegmentReleased.type,
      SegmentDeleted.type,
      SegmentRecovered.type,
    ],
    { group: 'history' },
  )
  onChange(@Payload() event: Message & SegmentEvent) {
    return this.#history.project(event);
  }
}
