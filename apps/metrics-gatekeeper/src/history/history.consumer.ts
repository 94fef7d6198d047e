import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { catalogue, type Message, ThresholdBreached } from '@tidegate/contracts';
import { HISTORY } from '../tokens.ts';
import type { History } from './history.handler.ts';

const events = catalogue.filter(({ topic }) => topic === 'rollout.events').map(({ type }) => type);

@Controller()
export class HistoryConsumer {
  readonly #history: History;

  constructor(@Inject(HISTORY) history: History) {
    this.#history = history;
  }

  @EventPattern([...events, ThresholdBreached.type], { group: 'history' })
  onEvent(@Payload() event: Message) {
    return this.#history.project(event);
  }
}
