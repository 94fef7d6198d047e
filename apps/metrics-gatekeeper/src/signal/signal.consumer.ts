import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { SignalReported } from '@tidegate/contracts';
import { SIGNALS } from '../tokens.ts';
import type { Signals } from './signals.handler.ts';

export const SIGNALS_GROUP = 'signals';

/** In a group of its own: a flood of complaints keeps nothing else waiting. */
@Controller()
export class SignalConsumer {
  readonly #signals: Signals;

  constructor(@Inject(SIGNALS) signals: Signals) {
    this.#signals = signals;
  }

  @EventPattern(SignalReported.type, { group: SIGNALS_GROUP })
  onSignal(@Payload() message: SignalReported) {
    return this.#signals.count(message);
  }
}
