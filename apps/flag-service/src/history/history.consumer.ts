import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import {
  FlagChanged,
  FlagCreated,
  FlagDeleted,
  FlagDisabled,
  FlagEnabled,
  type FlagEvent,
  FlagHeld,
  FlagRecovered,
  FlagReleased,
  FlagRestored,
  FlagScheduled,
  FlagScheduleSkipped,
  type Message,
} from '@tidegate/contracts';
import { HISTORY } from '../tokens.ts';
import type { History } from './history.handler.ts';

@Controller()
export class HistoryConsumer {
  readonly #history: History;

  constructor(@Inject(HISTORY) history: History) {
    this.#history = history;
  }

  @EventPattern(
    [
      FlagCreated.type,
      FlagChanged.type,
      FlagRestored.type,
      FlagDisabled.type,
      FlagEnabled.type,
      FlagHeld.type,
      FlagReleased.type,
      FlagDeleted.type,
      FlagRecovered.type,
      FlagScheduled.type,
      FlagScheduleSkipped.type,
    ],
    { group: 'history' },
  )
  onChange(@Payload() event: Message & FlagEvent) {
    return this.#history.project(event);
  }
}
