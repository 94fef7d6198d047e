import { Controller, Get, Inject } from '@nestjs/common';
import { flagKey, name } from '@tidegate/contracts';
import { isRejection } from '@tidegate/kernel';
import { RequireRole, ZodParam, ZodQuery } from '@tidegate/platform';
import { z } from 'zod';
import { ADOPTION } from '../tokens.ts';
import type { Adoption } from './adoption.handler.ts';
import { KEPT_HOURS } from './counted.ts';

const adoptionQuery = z.object({
  hours: z.coerce.number().int().min(1).max(KEPT_HOURS).default(24),
});

/** What applications were served, as far as anybody has counted it. */
@Controller('v1/environments/:env')
export class AdoptionController {
  readonly #adoption: Adoption;

  constructor(@Inject(ADOPTION) adoption: Adoption) {
    this.#adoption = adoption;
  }

  /** How often which variant was served to which application, hour by hour, and when the flag was last asked for. */
  @Get('flags/:key/adoption')
  @RequireRole('viewer', { environment: 'env' })
  adoption(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodQuery(adoptionQuery) { hours }: z.output<typeof adoptionQuery>,
  ) {
    return this.#adoption.of(environment, key, hours);
  }

  /** Keys that are asked for and that no flag has: a flag deleted too early, or a name misspelt. The latest first. */
  @Get('unknown-flags')
  @RequireRole('viewer', { environment: 'env' })
  async unknown(@ZodParam('env', name) environment: string) {
    const items = await this.#adoption.unknown(environment);
    return isRejection(items) ? items : { items };
  }
}
