import { Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { name } from '@tidegate/contracts';
import { isRejection, type Rejection } from '@tidegate/kernel';
import { Describe, RequireRole, ZodBody, ZodParam } from '@tidegate/platform';
import { planAsked } from '../plan/plan-asked.handler.ts';
import type { Plans } from '../plan/plans.handler.ts';
import { FEASIBILITY, PLANS } from '../tokens.ts';
import { type FeasibilityBody, feasibilityBody } from './feasibility-body.ts';
import type { FeasibilityTold, FindFeasibility } from './feasibility.handler.ts';

@Controller('v1/plans')
export class FeasibilityController {
  readonly #plans: Plans;
  readonly #find: FindFeasibility;

  constructor(@Inject(PLANS) plans: Plans, @Inject(FEASIBILITY) find: FindFeasibility) {
    this.#plans = plans;
    this.#find = find;
  }

  @Post(':name/feasibility')
  @HttpCode(200)
  @RequireRole('operator', { environmentIn: 'body' })
  @Describe(
    'What each guard can see at each stage, how long it takes, and what it can never prove',
    'With the traffic that is stated, or as it is measured now: the last five minutes of Prometheus, or five seconds of what is scraped directly.',
  )
  async feasibility(
    @ZodParam('name', name) plan: string,
    @ZodBody(feasibilityBody) body: FeasibilityBody,
  ): Promise<FeasibilityTold | Rejection> {
    const found = await planAsked(this.#plans, plan, body);
    return isRejection(found) ? found : this.#find({ ...body, plan: found });
  }
}
