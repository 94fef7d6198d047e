import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { isRejection, type Rejection } from '@tidegate/kernel';
import {
  type Caller,
  pageQuery,
  requireEnvironment,
  RequireRole,
  Who,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { rolloutId } from '../rollout/rollout-body.ts';
import type { RolloutQueries } from '../rollout/rollout-queries.handler.ts';
import { HISTORY, ROLLOUT_QUERIES } from '../tokens.ts';
import type { History } from './history.handler.ts';
import type { Entry, EntryPage } from './history.ts';
import { markdownOf, reportOf } from './report.ts';

const decisionsQuery = z.object({
  ...pageQuery.shape,
  /** `next` of the page before. */
  after: z.coerce.number().int().positive().optional(),
});
const reportQuery = z.object({ format: z.enum(['json', 'markdown']).optional() });
const PAGE = 500;

@Controller('v1/rollouts/:id')
export class HistoryController {
  readonly #history: History;
  readonly #rollouts: RolloutQueries;

  constructor(
    @Inject(HISTORY) history: History,
    @Inject(ROLLOUT_QUERIES) rollouts: RolloutQueries,
  ) {
    this.#history = history;
    this.#rollouts = rollouts;
  }

  /** What was decided, by whom and on which verdicts, oldest first; decided at once stays on one page. */
  @Get('decisions')
  @RequireRole('viewer')
  async decisions(
    @ZodParam('id', rolloutId) id: string,
    @ZodQuery(decisionsQuery) { after, limit }: z.output<typeof decisionsQuery>,
    @Who() caller: Caller,
  ): Promise<EntryPage | Rejection> {
    const rollout = await this.#rollouts.load(id);
    if (isRejection(rollout)) return rollout;
    requireEnvironment(caller, rollout.environment);
    return this.#history.read(id, { after, limit });
  }

  /** JSON, or Markdown for people: `?format=markdown`, or `Accept: text/markdown`. */
  @Get('report')
  @RequireRole('viewer')
  async report(
    @ZodParam('id', rolloutId) id: string,
    @ZodQuery(reportQuery) { format }: z.output<typeof reportQuery>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const rollout = await this.#rollouts.find(id);
    if (isRejection(rollout)) return rollout;
    requireEnvironment(caller, rollout.environment);
    const report = reportOf(rollout, await this.#all(id));
    const wanted =
      format ?? (request.headers.accept?.includes('text/markdown') ? 'markdown' : 'json');
    if (wanted === 'json') return report;
    reply.header('content-type', 'text/markdown; charset=utf-8');
    return markdownOf(report);
  }

  async #all(id: string): Promise<readonly Entry[]> {
    const entries: Entry[] = [];
    for (let after: number | undefined; ;) {
      const page = await this.#history.read(id, { after, limit: PAGE });
      entries.push(...page.items);
      after = page.next;
      if (after === undefined) return entries;
    }
  }
}
