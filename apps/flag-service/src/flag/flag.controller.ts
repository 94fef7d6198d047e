import { Controller, Delete, Get, Inject, Put, Res } from '@nestjs/common';
import { DeleteFlag, flagKey, name, PutFlag, ScheduleFlag } from '@tidegate/contracts';
import { isRejection, type Rejection } from '@tidegate/kernel';
import {
  Asked,
  Describe,
  etagOf,
  type Exchange,
  expectedVersion,
  ifMatch,
  isCurrent,
  type Page,
  pageOf,
  pageQuery,
  RequireRole,
  SERVICE_CONTEXT,
  type ServiceContext,
  ZodBody,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { FLAG_QUERIES, WRITE_FLAG } from '../tokens.ts';
import { flagBody, reasonBody, scheduleBody } from './flag-body.ts';
import { flagFilter } from './flag-filter.ts';
import type { FlagQueries, FoundFlag } from './flag-queries.handler.ts';
import type { WriteFlag } from './write-flag.http.ts';

const listQuery = z.object({
  ...pageQuery.shape,
  ...flagFilter.shape,
  stale: z.stringbool().optional().meta({
    type: 'boolean',
    description: 'Only flags that may not be needed any more, with why and since when.',
  }),
});

@Controller('v1/environments/:env/flags')
export class FlagController {
  readonly #context: ServiceContext;
  readonly #flags: FlagQueries;
  readonly #write: WriteFlag;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(FLAG_QUERIES) flags: FlagQueries,
    @Inject(WRITE_FLAG) write: WriteFlag,
  ) {
    this.#context = context;
    this.#flags = flags;
    this.#write = write;
  }

  @Get()
  @Describe(
    'Lists flags',
    'In order of key. Each filter narrows the list; a page goes on after `next` of the one before.',
  )
  @RequireRole('viewer', { environment: 'env' })
  async list(
    @ZodParam('env', name) environment: string,
    @ZodQuery(listQuery) { limit, ...wanted }: z.output<typeof listQuery>,
  ): Promise<Page<FoundFlag> | Rejection> {
    const found = await this.#flags.list(environment, { ...wanted, limit: limit + 1 });
    return isRejection(found) ? found : pageOf(found, limit, ({ key }) => key);
  }

  @Get(':key')
  @Describe('Reads a flag', 'With its ETag; 304 while it is the one of If-None-Match.')
  @RequireRole('viewer', { environment: 'env' })
  async find(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @Asked() { request }: Exchange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FoundFlag | Rejection | undefined> {
    const found = await this.#flags.find(environment, key);
    if (isRejection(found)) return found;
    reply.header('etag', etagOf(found));
    if (!isCurrent(request, found)) return found;
    reply.code(304);
    return undefined;
  }

  @Put(':key')
  @Describe(
    'Creates or replaces a flag',
    'If-Match: only at that version. If-None-Match: *: only if there is none. Refused while a rollout holds the flag, if it could move anybody.',
  )
  @RequireRole('operator', { environment: 'env' })
  put(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodBody(flagBody) { definition, reason }: z.output<typeof flagBody>,
    @Asked() asked: Exchange,
  ) {
    const salt = this.#context.ids.next();
    const version = expectedVersion(asked.request, this.#context.store.epoch);
    const data = { environment, key, definition, salt, expectedVersion: version, reason };
    return this.#write(PutFlag, data, asked);
  }

  @Delete(':key')
  @Describe(
    'Deletes a flag',
    'Applications then get their own default. Refused while a rollout holds it or another flag has it as a prerequisite.',
  )
  @RequireRole('operator', { environment: 'env' })
  remove(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodQuery(reasonBody) { reason }: z.output<typeof reasonBody>,
    @Asked() asked: Exchange,
  ) {
    const version = ifMatch(asked.request, this.#context.store.epoch);
    const data = { environment, key, reason, expectedVersion: version };
    return this.#write(DeleteFlag, data, asked);
  }

  @Put(':key/schedule')
  @Describe(
    'Replaces what is to come by itself',
    'flag-service enables or disables the flag then. Whoever turns the flag off by hand takes back what would enable it later.',
  )
  @RequireRole('operator', { environment: 'env' })
  schedule(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', flagKey) key: string,
    @ZodBody(scheduleBody) schedule: z.output<typeof scheduleBody>,
    @Asked() asked: Exchange,
  ) {
    const version = ifMatch(asked.request, this.#context.store.epoch);
    const data = { environment, key, schedule, expectedVersion: version };
    return this.#write(ScheduleFlag, data, asked);
  }
}
