import { Controller, Delete, Get, Inject, Put, Res } from '@nestjs/common';
import {
  DeleteSegment,
  name,
  PutSegment,
  ReleaseSegment,
  type SegmentCommand,
} from '@tidegate/contracts';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import {
  answer,
  Asked,
  commandFrom,
  CommandRoute,
  Describe,
  etagOf,
  type Exchange,
  expectedVersion,
  ifMatch,
  isCurrent,
  type Page,
  pageOf,
  pageQuery,
  type PageQuery,
  RequireRole,
  SERVICE_CONTEXT,
  type ServiceContext,
  ZodBody,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { environmentUnknown, type Environments } from '../environment/environments.handler.ts';
import { reasonBody, restoreBody } from '../flag/flag-body.ts';
import type { SegmentHistory } from '../history/history.handler.ts';
import { CHANGE_SEGMENT, ENVIRONMENTS, SEGMENT_HISTORY, SEGMENT_QUERIES } from '../tokens.ts';
import type { ChangeSegment } from './change-segment.handler.ts';
import { segmentBody } from './segment-body.ts';
import { foundSegment, type FoundSegment, type SegmentQueries } from './segment-queries.handler.ts';

/** What a write answers. */
interface WrittenSegment extends FoundSegment {
  readonly changed: boolean;
  /** False while the bus is away: it is saved and in force here, and published as soon as the bus is back. */
  readonly published: boolean;
}

@Controller('v1/environments/:env/segments')
export class SegmentController {
  readonly #context: ServiceContext;
  readonly #changeSegment: ChangeSegment;
  readonly #segments: SegmentQueries;
  readonly #environments: Environments;
  readonly #history: SegmentHistory;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(CHANGE_SEGMENT) changeSegment: ChangeSegment,
    @Inject(SEGMENT_QUERIES) segments: SegmentQueries,
    @Inject(ENVIRONMENTS) environments: Environments,
    @Inject(SEGMENT_HISTORY) history: SegmentHistory,
  ) {
    this.#context = context;
    this.#changeSegment = changeSegment;
    this.#segments = segments;
    this.#environments = environments;
    this.#history = history;
  }

  @Get()
  @Describe('Lists segments', 'In order of key; a page goes on after `next` of the one before.')
  @RequireRole('viewer', { environment: 'env' })
  async list(
    @ZodParam('env', name) environment: string,
    @ZodQuery(pageQuery) { after, limit }: PageQuery,
  ): Promise<Page<FoundSegment> | Rejection> {
    const found = await this.#segments.list(environment, { after, limit: limit + 1 });
    return isRejection(found) ? found : pageOf(found, limit, ({ key }) => key);
  }

  @Get(':key')
  @Describe('Reads a segment', 'With the flags and segments that refer to it, and its ETag.')
  @RequireRole('viewer', { environment: 'env' })
  async find(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @Asked() { request }: Exchange,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FoundSegment | Rejection | undefined> {
    const found = await this.#segments.find(environment, key);
    if (isRejection(found)) return found;
    reply.header('etag', etagOf(found));
    if (!isCurrent(request, found)) return found;
    reply.code(304);
    return undefined;
  }

  @Put(':key')
  @Describe(
    'Creates or replaces a segment',
    'A condition that flags share. If-Match: only at that version. If-None-Match: *: only if there is none. Refused while a rollout relies on it, if it could move anybody.',
  )
  @RequireRole('operator', { environment: 'env' })
  put(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodBody(segmentBody) { definition, reason }: z.output<typeof segmentBody>,
    @Asked() asked: Exchange,
  ) {
    const version = expectedVersion(asked.request, this.#context.store.epoch);
    return this.#put({ environment, key, definition, expectedVersion: version, reason }, asked);
  }

  @Delete(':key')
  @Describe('Deletes a segment', 'Refused while a flag or another segment refers to it.')
  @RequireRole('operator', { environment: 'env' })
  remove(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodQuery(reasonBody) { reason }: z.output<typeof reasonBody>,
    @Asked() asked: Exchange,
  ) {
    const { caller, request } = asked;
    const version = ifMatch(request, this.#context.store.epoch);
    const data = { environment, key, reason, expectedVersion: version };
    return this.#write(commandFrom(this.#context, DeleteSegment, data, caller, request), asked);
  }

  @CommandRoute(':key/restore', 'operator', { environment: 'env' })
  @Describe('Puts an earlier definition back', 'Also of a segment that was deleted.')
  async restore(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodBody(restoreBody) { version, reason }: z.output<typeof restoreBody>,
    @Asked() asked: Exchange,
  ) {
    const expected = ifMatch(asked.request, this.#context.store.epoch);
    const past = await this.#history.find(environment, key, version);
    if (!past?.after)
      return reject(
        'VERSION_UNKNOWN',
        `The history of segment ${key} in ${environment} has none at version ${version}.`,
      );
    const { definition } = past.after;
    return this.#put({ environment, key, definition, expectedVersion: expected, reason }, asked);
  }

  /** Frees the segment from all rollouts that rely on it. */
  @CommandRoute(':key/release', 'admin', { environment: 'env' })
  release(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodBody(reasonBody) { reason }: z.output<typeof reasonBody>,
    @Asked() asked: Exchange,
  ) {
    const { caller, request } = asked;
    const data = { environment, key, reason };
    return this.#write(commandFrom(this.#context, ReleaseSegment, data, caller, request), asked);
  }

  #put(data: PutSegment['data'], asked: Exchange): Promise<WrittenSegment | Rejection> {
    const { caller, request } = asked;
    return this.#write(commandFrom(this.#context, PutSegment, data, caller, request), asked);
  }

  async #write(command: SegmentCommand, { reply }: Exchange): Promise<WrittenSegment | Rejection> {
    const { environment, key } = command.data;
    if (!(await this.#environments.has(environment))) return environmentUnknown(environment);
    const outcome = await this.#changeSegment(command);
    return answer(reply, outcome, {
      ...foundSegment(environment, key, outcome),
      changed: outcome.answer.outcome === 'changed',
      published: outcome.published,
    });
  }
}
