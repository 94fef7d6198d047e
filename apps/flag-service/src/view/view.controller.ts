import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { name, POLL_SECONDS_HEADER } from '@tidegate/contracts';
import { reject, type Rejection } from '@tidegate/kernel';
import {
  LimitedAsHeartbeat,
  permission,
  RequireRole,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { environmentUnknown } from '../environment/environments.handler.ts';
import { matches } from '../evaluate/ofrep.ts';
import { FLAG_STREAMS, FLAG_VIEWS } from '../tokens.ts';
import type { FlagStreams } from './flag-streams.sse.ts';
import type { FlagViews } from './flag-views.handler.ts';
import { takesGzip } from './gzip-parts.gzip.ts';
import { sentSnapshot } from './sent-snapshot.gzip.ts';

/** What is told to a client that gets no stream: how often to poll, and when to ask for a stream again. */
const POLL_SECONDS = '10';
const STREAM_AGAIN_SECONDS = '60';

const streamQuery = z.object({ digest: z.string().min(1).max(200).optional() });

/** What applications read: the flags as they are evaluated, exposure in thousandths of a percent. */
@Controller('v1/environments/:env')
export class ViewController {
  readonly #views: FlagViews;
  readonly #streams: FlagStreams;

  constructor(@Inject(FLAG_VIEWS) views: FlagViews, @Inject(FLAG_STREAMS) streams: FlagStreams) {
    this.#views = views;
    this.#streams = streams;
  }

  /** Every flag, tombstones too. The ETag is the digest: 304 while nothing has changed. */
  @Get('snapshot')
  @LimitedAsHeartbeat()
  @RequireRole('sdk', { environment: 'env' })
  async snapshot(
    @ZodParam('env', name) environment: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer | Rejection | undefined> {
    const flags = await this.#views.find(environment);
    if (!flags) return environmentUnknown(environment);
    const snapshot = sentSnapshot(flags.snapshot());
    const isGzip = takesGzip(request.headers['accept-encoding']);
    // Another form of the same has another strong ETag; who has either has it all.
    const [plainTag, gzipTag] = [`"${snapshot.digest}"`, `"${snapshot.digest}-gzip"`];
    reply.header('etag', isGzip ? gzipTag : plainTag).header('cache-control', 'no-cache');
    reply.header('vary', 'accept-encoding');
    if ([plainTag, gzipTag].some((tag) => matches(request.headers['if-none-match'], tag))) {
      reply.code(304);
      return undefined;
    }
    reply.header('content-type', 'application/json; charset=utf-8');
    if (isGzip) reply.header('content-encoding', 'gzip');
    return isGzip ? snapshot.gzip() : snapshot.plain;
  }

  /**
   * Server-sent events: `snapshot`, or `unchanged` for a client that is up to date; then `flag`,
   * `segment` and `heartbeat`. It ends when the key may not have it any more. 429 with POLL_SECONDS_HEADER when there are too many streams.
   */
  @Get('stream')
  @LimitedAsHeartbeat()
  @RequireRole('sdk', { environment: 'env' })
  async stream(
    @ZodParam('env', name) environment: string,
    @ZodQuery(streamQuery) { digest }: z.output<typeof streamQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Rejection | undefined> {
    const flags = await this.#views.find(environment);
    if (!flags) return environmentUnknown(environment);
    if (!this.#streams.hasRoom()) {
      reply.header(POLL_SECONDS_HEADER, POLL_SECONDS).header('retry-after', STREAM_AGAIN_SECONDS);
      return reject('STREAMS_FULL', 'There are no more streams here: poll the snapshot meanwhile.');
    }
    reply.hijack();
    const isPermitted = permission(request, 'sdk', environment);
    this.#streams.connect(request, reply.raw, flags, { digest, isPermitted });
    return undefined;
  }
}
