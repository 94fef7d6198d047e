import { Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { name } from '@tidegate/contracts';
import { isRejection, type Rejection } from '@tidegate/kernel';
import { Describe, LargeBody, RequireRole, ZodBody, ZodParam } from '@tidegate/platform';
import type { z } from 'zod';
import type { Plans } from '../plan/plans.handler.ts';
import { planAsked } from '../plan/plan-asked.handler.ts';
import { PLANS, READ_RANGE, REHEARSALS } from '../tokens.ts';
import { type ReadRange, recordingFrom } from './recordings.handler.ts';
import { rehearseBody } from './rehearse-body.ts';
import type { RehearsalAnswer, Rehearsals } from './rehearsals.handler.ts';

/** A day of fifty series as text. */
const LARGEST_BODY_BYTES = 32 * 1_024 * 1_024;

@Controller('v1/plans')
export class RehearseController {
  readonly #plans: Plans;
  readonly #rehearsals: Rehearsals;
  readonly #readRange: ReadRange;

  constructor(
    @Inject(PLANS) plans: Plans,
    @Inject(REHEARSALS) rehearsals: Rehearsals,
    @Inject(READ_RANGE) readRange: ReadRange,
  ) {
    this.#plans = plans;
    this.#rehearsals = rehearsals;
    this.#readRange = readRange;
  }

  @Post(':name/rehearse')
  @HttpCode(200)
  @RequireRole('operator', { environmentIn: 'body' })
  @LargeBody(LARGEST_BODY_BYTES)
  @Describe(
    'What would have happened: the plan, played on recorded data',
    'The same rules and judges as those of rollouts, with a virtual clock. Nothing is changed, and nobody is told.',
  )
  async rehearse(
    @ZodParam('name', name) plan: string,
    @ZodBody(rehearseBody) body: z.output<typeof rehearseBody>,
  ): Promise<RehearsalAnswer | Rejection> {
    const found = await planAsked(this.#plans, plan, body);
    if (isRejection(found)) return found;
    const { environment, data, from, until, inject, mutate } = body;
    const recording = await recordingFrom(data, found, environment, this.#readRange);
    if (isRejection(recording)) return recording;
    return this.#rehearsals.run({
      plan: found,
      environment,
      recording,
      from,
      until,
      inject,
      mutate,
    });
  }
}
