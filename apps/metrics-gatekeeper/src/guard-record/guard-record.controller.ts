import { Controller, Get, Inject } from '@nestjs/common';
import { name } from '@tidegate/contracts';
import { type Page, pageOf, pageQuery, RequireRole, ZodQuery } from '@tidegate/platform';
import { z } from 'zod';
import { GUARD_RECORDS } from '../tokens.ts';
import type { GuardSummary } from './guard-record.ts';
import type { GuardRecords } from './guard-records.handler.ts';

const listQuery = z.strictObject({ ...pageQuery.shape, plan: name.optional() });

@Controller('v1/guards')
export class GuardRecordController {
  readonly #records: GuardRecords;

  constructor(@Inject(GUARD_RECORDS) records: GuardRecords) {
    this.#records = records;
  }

  /** What the guards of each plan have done in its rollouts. `limit` counts plans: one's guards stay on one page. */
  @Get()
  @RequireRole('viewer')
  async list(
    @ZodQuery(listQuery) { plan, after, limit }: z.output<typeof listQuery>,
  ): Promise<Page<GuardSummary>> {
    if (plan !== undefined) return { items: await this.#records.of(plan) };
    const found = await this.#records.list({ after, limit: limit + 1 });
    const { items, ...rest } = pageOf(found, limit, (each) => each.plan);
    return { items: items.flatMap(({ guards }) => guards), ...rest };
  }
}
