import { createHash } from 'node:crypto';
import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { type OutgoingMessage, ThresholdBreached } from '@tidegate/contracts';
import {
  type Caller,
  commandFrom,
  mayUse,
  NeverLimited,
  requireEnvironment,
  RequireRole,
  SERVICE_CONTEXT,
  type ServiceContext,
  Who,
  ZodBody,
} from '@tidegate/platform';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Alert, alertmanagerBody, breachOf, type Ignored } from './alertmanager-body.ts';

/** What was done with one alert. */
type Done = { readonly fingerprint: string } & (
  | { readonly outcome: 'published'; readonly id: string }
  | ({ readonly outcome: 'ignored' } & Ignored)
);

/** Why alerts are ignored that are as they should be. */
const EXPECTED: ReadonlySet<string> = new Set<Ignored['reason']>(['own', 'resolved']);

/** Alertmanager's webhook. Like every breach from outside it goes over the topic, to the one decider. */
@Controller('v1/alertmanager')
export class AlertmanagerController {
  readonly #context: ServiceContext;

  constructor(@Inject(SERVICE_CONTEXT) context: ServiceContext) {
    this.#context = context;
  }

  /**
   * 202 once the topic has every firing alert, with what was done for each. An alert of an environment that the key is
   * not for makes the answer 403, after the others were published: Alertmanager would show no other sign of it.
   */
  @Post()
  @HttpCode(202)
  @NeverLimited()
  @RequireRole('operator')
  async alerts(
    @ZodBody(alertmanagerBody) { alerts, truncatedAlerts }: z.output<typeof alertmanagerBody>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
  ) {
    const messages: OutgoingMessage[] = [];
    const forbidden: string[] = [];
    const done = alerts.map((alert): Done => {
      const { fingerprint } = alert;
      const breach = breachOf(alert);
      if ('reason' in breach) return { fingerprint, outcome: 'ignored', ...breach };
      const id = idOf(alert);
      const message = commandFrom(this.#context, ThresholdBreached, breach, caller, request);
      const metadata = { ...message.metadata, id, correlationId: id };
      if (mayUse(caller, breach.environment)) messages.push({ ...message, metadata });
      else forbidden.push(breach.environment);
      return { fingerprint, outcome: 'published', id };
    });
    await this.#context.bus.publish(messages);
    for (const environment of forbidden) requireEnvironment(caller, environment);
    const useless = done.filter((each) => each.outcome === 'ignored' && !EXPECTED.has(each.reason));
    if (useless.length > 0 || truncatedAlerts > 0)
      this.#context.log.warn({ useless, truncatedAlerts }, 'alerts that can roll nothing back');
    return { alerts: done, truncatedAlerts };
  }
}

/** Alertmanager repeats itself: the same alert is the same message. */
const idOf = ({ fingerprint, startsAt }: Alert): string =>
  `alert-${createHash('sha256').update(`${fingerprint}\n${startsAt}`).digest('hex').slice(0, 24)}`;
