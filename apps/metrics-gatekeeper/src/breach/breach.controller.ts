import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ThresholdBreached } from '@tidegate/contracts';
import { canonicalJson } from '@tidegate/kernel';
import {
  type Caller,
  commandFrom,
  NeverLimited,
  RequireRole,
  SERVICE_CONTEXT,
  type ServiceContext,
  Who,
  ZodBody,
} from '@tidegate/platform';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Rollouts } from '../rollout/rollouts.handler.ts';
import { ROLLOUTS } from '../tokens.ts';
import { breachBody } from './breach-body.ts';

/** What outside systems have noticed. It goes over the topic: there is one decider, and one way to it. */
@Controller('v1')
export class BreachController {
  readonly #context: ServiceContext;
  readonly #rollouts: Rollouts;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(ROLLOUTS) rollouts: Rollouts,
  ) {
    this.#context = context;
    this.#rollouts = rollouts;
  }

  /** 202 once the topic has it, with the rollouts under way that it is about: these act on it at once. */
  @Post('breaches')
  @HttpCode(202)
  @NeverLimited()
  @RequireRole('operator', { environmentIn: 'body' })
  async breach(
    @ZodBody(breachBody) body: z.output<typeof breachBody>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
  ) {
    const { environment, guard, labels } = body;
    const fingerprint = body.fingerprint ?? `${environment}/${guard}/${canonicalJson(labels)}`;
    const startsAt = body.startsAt ?? this.#context.clock.now();
    const data = { ...body, fingerprint, startsAt };
    const message = commandFrom(this.#context, ThresholdBreached, data, caller, request);
    const rollouts = await this.#rollouts.about(data);
    await this.#context.bus.publish([message]);
    return { id: message.metadata.id, fingerprint, startsAt, rollouts };
  }
}
