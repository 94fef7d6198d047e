import { Controller, Delete, Get, Inject, Put, Res } from '@nestjs/common';
import {
  DeleteFlag,
  DisableFlag,
  EnableFlag,
  type FlagCommand,
  type MessageDefinition,
  name,
  PutFlag,
  ReleaseFlag,
  RestoreFlag,
  ScheduleFlag,
} from '@tidegate/contracts';
import { isRejection, reject, type Rejection } from '@tidegate/kernel';
import {
  answer,
  Asked,
  commandFrom,
  CommandRoute,
  etagOf,
  type Exchange,
  ifMatch,
  type Page,
  pageOf,
  pageQuery,
  type PageQuery,
  NeverLimited,
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
import type { History } from '../history/history.handler.ts';
import { CHANGE_FLAG, ENVIRONMENTS, FLAG_QUERIES, HISTORY } from '../tokens.ts';
import type { ChangeFlag } from './change-flag.handler.ts';
import { flagBody, reasonBody, restoreBody, scheduleBody } from './flag-body.ts';
import { type FlagQueries, foundFlag, type FoundFlag } from './flag-queries.handler.ts';

/** What a write answers. */
interface WrittenFlag extends FoundFlag {
  readonly changed: boolean;
  /** False while the bus is away: it is saved and in force here, and published as soon as the bus is back. */
  readonly published: boolean;
}

type Because = z.output<typeof reasonBody>;

@Controller('v1/environments/:env/flags')
export class FlagController {
  readonly #context: ServiceContext;
  readonly #changeFlag: ChangeFlag;
  readonly #flags: FlagQueries;
  readonly #environments: Environments;
  readonly #history: History;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(CHANGE_FLAG) changeFlag: ChangeFlag,
    @Inject(FLAG_QUERIES) flags: FlagQueries,
    @Inject(ENVIRONMENTS) environments: Environments,
    @Inject(HISTORY) history: History,
  ) {
    this.#context = context;
    this.#changeFlag = changeFlag;
    this.#flags = flags;
    this.#environments = environments;
    this.#history = history;
  }

  @Get()
  @RequireRole('viewer', { environment: 'env' })
  async list(
    @ZodParam('env', name) environment: string,
    @ZodQuery(pageQuery) { after, limit }: PageQuery,
  ): Promise<Page<FoundFlag> | Rejection> {
    const found = await this.#flags.list(environment, { after, limit: limit + 1 });
    return isRejection(found) ? found : pageOf(found, limit, ({ key }) => key);
  }

  @Get(':key')
  @RequireRole('viewer', { environment: 'env' })
  async find(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<FoundFlag | Rejection> {
    const found = await this.#flags.find(environment, key);
    if (!isRejection(found)) reply.header('etag', etagOf(found));
    return found;
  }

  /** Creates or replaces. If-Match: only at that version; If-None-Match: *: only if there is none. */
  @Put(':key')
  @RequireRole('operator', { environment: 'env' })
  put(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodBody(flagBody) { definition, reason }: z.output<typeof flagBody>,
    @Asked() asked: Exchange,
  ) {
    const { request } = asked;
    const isNew = request.headers['if-none-match'] === '*';
    const expectedVersion = isNew ? 0 : ifMatch(request, this.#context.store.epoch);
    const salt = this.#context.ids.next();
    const data = { environment, key, definition, salt, expectedVersion, reason };
    return this.#write(PutFlag, data, asked);
  }

  @Delete(':key')
  @RequireRole('operator', { environment: 'env' })
  remove(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodQuery(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    const expectedVersion = ifMatch(asked.request, this.#context.store.epoch);
    const data = { environment, key, reason, expectedVersion };
    return this.#write(DeleteFlag, data, asked);
  }

  /** The kill: works while a rollout holds the flag, and while the bus is down. */
  @CommandRoute(':key/disable', 'operator', { environment: 'env' })
  @NeverLimited()
  disable(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#write(DisableFlag, { environment, key, reason }, asked);
  }

  @CommandRoute(':key/enable', 'operator', { environment: 'env' })
  enable(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#write(EnableFlag, { environment, key, reason }, asked);
  }

  /** Puts the definition of an earlier version back; what is disabled stays disabled. */
  @CommandRoute(':key/restore', 'operator', { environment: 'env' })
  async restore(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodBody(restoreBody) { version, reason }: z.output<typeof restoreBody>,
    @Asked() asked: Exchange,
  ) {
    const found = await this.#flags.find(environment, key);
    if (isRejection(found)) return found;
    const past = await this.#history.find(environment, key, version);
    if (!past?.after)
      return reject('VERSION_UNKNOWN', `The history of ${key} has no flag at version ${version}.`);
    const data = { environment, key, definition: past.after.definition, reason };
    return this.#write(RestoreFlag, data, asked);
  }

  /** Replaces what is to come by itself: flag-service enables or disables the flag then. */
  @Put(':key/schedule')
  @RequireRole('operator', { environment: 'env' })
  schedule(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodBody(scheduleBody) schedule: z.output<typeof scheduleBody>,
    @Asked() asked: Exchange,
  ) {
    const expectedVersion = ifMatch(asked.request, this.#context.store.epoch);
    return this.#write(ScheduleFlag, { environment, key, schedule, expectedVersion }, asked);
  }

  /** Frees the flag from whatever rollout holds it. */
  @CommandRoute(':key/release', 'admin', { environment: 'env' })
  release(
    @ZodParam('env', name) environment: string,
    @ZodParam('key', name) key: string,
    @ZodBody(reasonBody) { reason }: Because,
    @Asked() asked: Exchange,
  ) {
    return this.#write(ReleaseFlag, { environment, key, reason }, asked);
  }

  async #write<T extends FlagCommand['type'], S extends z.ZodType<FlagCommand['data']>>(
    definition: MessageDefinition<T, S>,
    data: z.output<S>,
    { caller, request, reply }: Exchange,
  ): Promise<WrittenFlag | Rejection> {
    const { environment, key } = data;
    if (!(await this.#environments.has(environment))) return environmentUnknown(environment);
    const command = commandFrom(this.#context, definition, data, caller, request);
    const outcome = await this.#changeFlag(command as unknown as FlagCommand);
    return answer(reply, outcome, {
      ...foundFlag(environment, key, outcome),
      changed: outcome.answer.outcome === 'changed',
      published: outcome.published,
    });
  }
}
