import { Body, Controller, Get, Header, HttpCode, Inject, Post } from '@nestjs/common';
import type { Tidegate, TidegateStatus } from '@tidegate/sdk';
import { InjectFlags } from '@tidegate/sdk/nest';
import { z } from 'zod';
import { BodyOf } from '../body.pipe.ts';
import { FAULTS, METRICS } from '../tokens.ts';
import type { FaultRates, Faults } from './faults.ts';
import { type Feature, features } from './feature.ts';
import type { Metrics } from './metrics.prometheus.ts';

const share = z.number().min(0).max(1);
const wanted = z.strictObject({
  feature: z.enum(features).optional(),
  newPathErrorRate: share.optional(),
  wrongTotalRate: share.optional(),
});

/** What operators and monitors ask: health, metrics, and the faults to inject. */
@Controller()
export class OperationsController {
  readonly #flags: Tidegate;
  readonly #faults: Faults;
  readonly #metrics: Metrics;

  constructor(
    @InjectFlags() flags: Tidegate,
    @Inject(FAULTS) faults: Faults,
    @Inject(METRICS) metrics: Metrics,
  ) {
    this.#flags = flags;
    this.#faults = faults;
    this.#metrics = metrics;
  }

  /** The service works without flags, on its old paths: it is healthy whatever their state. */
  @Get('health')
  health(): { readonly flags: TidegateStatus } {
    return { flags: this.#flags.status };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return this.#metrics.registry.metrics();
  }

  @Get('faults')
  faults(): Readonly<Record<Feature, FaultRates>> {
    return this.#faults.rates;
  }

  @Post('faults')
  @HttpCode(200)
  inject(
    @Body(new BodyOf(wanted)) { feature, ...rates }: z.output<typeof wanted>,
  ): Readonly<Record<Feature, FaultRates>> {
    this.#faults.set(rates as Partial<FaultRates>, feature);
    return this.#faults.rates;
  }
}
