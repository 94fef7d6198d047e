import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { ThresholdBreached } from '@tidegate/contracts';
import { ALERTS } from '../tokens.ts';
import type { BreachAlerts } from './alerts.handler.ts';

/** Only where there is an Alertmanager to tell. */
@Controller()
export class AlertConsumer {
  readonly #alerts: BreachAlerts;

  constructor(@Inject(ALERTS) alerts: BreachAlerts) {
    this.#alerts = alerts;
  }

  @EventPattern(ThresholdBreached.type, { group: 'alerts' })
  onBreach(@Payload() breach: ThresholdBreached) {
    return this.#alerts.raise(breach);
  }
}
