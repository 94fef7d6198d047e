import { Controller, Get, Inject } from '@nestjs/common';
import { flagKey, name } from '@tidegate/contracts';
import type { Rejection } from '@tidegate/kernel';
import {
  Describe,
  type Page,
  pageOf,
  pageQuery,
  RequireRole,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import { z } from 'zod';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import { type ShownFlag, shownFlag } from '../flag/flag-body.ts';
import { ENVIRONMENTS, HISTORY, SEGMENT_HISTORY } from '../tokens.ts';
import { type Difference, differences } from './differences.ts';
import type { History, PastSegmentChange, SegmentHistory } from './history.handler.ts';
import { type PastChange, placeOf } from './history.ts';

const historyQuery = z.object({
  ...pageQuery.shape,
  /** `next` of the page before. */
  after: z.coerce.number().int().positive().optional(),
});

type ShownChange = Omit<PastChange, 'before' | 'after'> & {
  readonly before: ShownFlag | null;
  readonly after: ShownFlag | null;
  readonly changes: readonly Difference[];
};
type ShownSegmentChange = PastSegmentChange & Pick<ShownChange, 'changes'>;

@Controller('v1/environments/:env')
export class HistoryController {
  readonly #history: History;
  readonly #segments: SegmentHistory;
  readonly #environments: Environments;

  constructor(
    @Inject(HISTORY) history: History,
    @Inject(SEGMENT_HISTORY) segments: SegmentHistory,
    @Inject(ENVIRONMENTS) environments: Environments,
  ) {
    this.#history = history;
    this.#segments = segments;
    this.#environments = environments;
  }

  @Get('flags/:key/history')
  @Describe(
    'Who changed a flag, what and why',
    'Newest first, each with its differences. A flag that was deleted keeps its history.',
  )
  @RequireRole('viewer', { environment: 'env' })
  async read(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodQuery(historyQuery) { after, limit }: z.output<typeof historyQuery>,
  ): Promise<Page<ShownChange> | Rejection> {
    if (!(await this.#environments.has(environment))) return environmentUnknown(environment);
    const found = await this.#history.read(environment, key, { before: after, limit: limit + 1 });
    const page = pageOf(found, limit, (change) => String(placeOf(change)));
    return { ...page, items: page.items.map(shown) };
  }

  @Get('segments/:key/history')
  @Describe('Who changed a segment, what and why', 'Newest first, each with its differences.')
  @RequireRole('viewer', { environment: 'env' })
  async readSegment(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodQuery(historyQuery) { after, limit }: z.output<typeof historyQuery>,
  ): Promise<Page<ShownSegmentChange> | Rejection> {
    if (!(await this.#environments.has(environment))) return environmentUnknown(environment);
    const found = await this.#segments.read(environment, key, { before: after, limit: limit + 1 });
    const page = pageOf(found, limit, (change) => String(placeOf(change)));
    return { ...page, items: page.items.map(withChanges) };
  }
}

const shown = (change: PastChange): ShownChange =>
  withChanges({
    ...change,
    before: shownFlag(change.before),
    after: shownFlag(change.after),
  });

const withChanges = <C extends { readonly before: unknown; readonly after: unknown }>(
  change: C,
) => ({
  ...change,
  changes: differences(change.before, change.after),
});
