import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { TreeSealed } from '@tidegate/contracts';
import type { Rejection } from '@tidegate/kernel';
import { ApiAnswer, type Page, pageOf, RequireRole, ZodParam, ZodQuery } from '@tidegate/platform';
import type { Projection } from '@tidegate/store';
import { z } from 'zod';
import type { LogWriter } from '../log/writer.handler.ts';
import { LOG_WRITER, PROOFS, SEAL_HISTORY, SEALER } from '../tokens.ts';
import type { ConsistencyProof, Proofs } from './proofs.handler.ts';
import type { Sealer } from './seal.handler.ts';
import { LOG_NAME, type Seal } from './seal.ts';

const size = z.coerce.number().int().min(1);
const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  after: size.optional().describe('The `next` of the page before'),
});
const sealQuery = z.object({
  drainMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(30_000)
    .default(0)
    .describe('Wait at most so long until all that the bus has is in the log.'),
});
const proofQuery = z.object({ since: size.describe('Size of an older seal') });

const sealedNow = z.object({
  seal: TreeSealed.schema.nullable().describe('The newest seal; null while the log is empty'),
  archived: z.int().describe('Records in the archive'),
  waiting: z.int().describe('Records that the bus has and the log has not'),
});

@ApiTags('seals')
@Controller('v1/seals')
export class SealController {
  readonly #writer: LogWriter;
  readonly #sealer: Sealer;
  readonly #history: Projection<Seal>;
  readonly #proofs: Proofs;

  constructor(
    @Inject(LOG_WRITER) writer: LogWriter,
    @Inject(SEALER) sealer: Sealer,
    @Inject(SEAL_HISTORY) history: Projection<Seal>,
    @Inject(PROOFS) proofs: Proofs,
  ) {
    this.#writer = writer;
    this.#sealer = sealer;
    this.#history = history;
    this.#proofs = proofs;
  }

  /** Newest first. */
  @Get()
  @RequireRole('viewer')
  @ApiAnswer(200, z.object({ items: z.array(TreeSealed.schema), next: z.string().optional() }))
  async list(
    @ZodQuery(listQuery) { limit, after }: z.output<typeof listQuery>,
  ): Promise<Page<Seal>> {
    const page = { before: after ?? Infinity, limit: limit + 1 };
    const found = await this.#history.read(LOG_NAME, page);
    return pageOf(
      found.map(({ record }) => record),
      limit,
      (seal) => String(seal.size),
    );
  }

  /** Of consistency with an older seal. */
  @Get(':size/proof')
  @RequireRole('viewer')
  prove(
    @ZodParam('size', size) newer: number,
    @ZodQuery(proofQuery) { since }: z.output<typeof proofQuery>,
  ): Promise<ConsistencyProof | Rejection> {
    return this.#proofs.consistency(since, newer);
  }

  /** Seals all that is in the log now, and archives it before it answers. */
  @Post()
  @HttpCode(200)
  @RequireRole('operator', { everyEnvironment: true })
  @ApiAnswer(200, sealedNow)
  async seal(
    @ZodQuery(sealQuery) { drainMs }: z.output<typeof sealQuery>,
  ): Promise<z.output<typeof sealedNow>> {
    const waiting = await this.#writer.drain(drainMs);
    const seal = (await this.#sealer.seal()) ?? null;
    return { seal, archived: seal?.size ?? 0, waiting };
  }
}
