import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Rejection } from '@tidegate/kernel';
import { ApiAnswer, RequireRole, ZodParam, ZodQuery } from '@tidegate/platform';
import { z } from 'zod';
import type { LogReader } from '../log/read.handler.ts';
import { type InclusionProof, type Proofs, recordUnknown } from '../seal/proofs.handler.ts';
import { LOG_READER, PROOFS } from '../tokens.ts';
import { type AuditRecord, recordOf } from './line.ts';
import { content, manifest } from './manifest.ts';
import { type Found, searchRecords } from './search.handler.ts';
import { type Search, searchQuery } from './search.ts';

const position = z.coerce.number().int().min(0);
const record = z.object({
  leaf: z.string(),
  manifest,
  salt: z.string().nullable(),
  content: content.nullable(),
});

/** The log, record by record. An id is a record's position. It is about all environments, so keys for all are needed. */
@ApiTags('records')
@Controller('v1/records')
export class RecordController {
  readonly #reader: LogReader;
  readonly #proofs: Proofs;

  constructor(@Inject(LOG_READER) reader: LogReader, @Inject(PROOFS) proofs: Proofs) {
    this.#reader = reader;
    this.#proofs = proofs;
  }

  /** Newest first. */
  @Get()
  @RequireRole('viewer', { everyEnvironment: true })
  @ApiAnswer(200, z.object({ items: z.array(record), next: z.string().optional() }))
  list(@ZodQuery(searchQuery) search: Search): Promise<Found> {
    return searchRecords(this.#reader, search);
  }

  @Get(':id')
  @RequireRole('viewer', { everyEnvironment: true })
  @ApiAnswer(200, record)
  async find(@ZodParam('id', position) id: number): Promise<AuditRecord | Rejection> {
    const line = await this.#reader.find(id);
    return line === undefined ? recordUnknown(id) : recordOf(line);
  }

  /** Of inclusion, against the newest seal. */
  @Get(':id/proof')
  @RequireRole('viewer', { everyEnvironment: true })
  prove(@ZodParam('id', position) id: number): Promise<InclusionProof | Rejection> {
    return this.#proofs.inclusion(id);
  }
}
