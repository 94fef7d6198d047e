import { Controller, Get, Inject, Put, Req, Res } from '@nestjs/common';
import { name, PutEnvironment } from '@tidegate/contracts';
import type { Rejection } from '@tidegate/kernel';
import {
  answer,
  type Caller,
  commandFrom,
  Describe,
  mayUse,
  type Page,
  pageOf,
  pageQuery,
  type PageQuery,
  RequireRole,
  SERVICE_CONTEXT,
  type ServiceContext,
  Who,
  ZodBody,
  ZodParam,
  ZodQuery,
} from '@tidegate/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ENVIRONMENTS } from '../tokens.ts';
import {
  environmentUnknown,
  type Environments,
  type ListedEnvironment,
} from './environments.handler.ts';

const environmentBody = z.strictObject({ description: z.string().max(2_000).optional() });

@Controller('v1/environments')
export class EnvironmentController {
  readonly #context: ServiceContext;
  readonly #environments: Environments;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(ENVIRONMENTS) environments: Environments,
  ) {
    this.#context = context;
    this.#environments = environments;
  }

  @Get()
  @Describe('Lists environments', 'Those that the key may use.')
  @RequireRole('viewer')
  async list(
    @ZodQuery(pageQuery) { after, limit }: PageQuery,
    @Who() caller: Caller,
  ): Promise<Page<ListedEnvironment>> {
    const found = await this.#environments.list({ after, limit: limit + 1 });
    const { items, ...rest } = pageOf(found, limit, ({ environment }) => environment);
    return { items: items.filter(({ environment }) => mayUse(caller, environment)), ...rest };
  }

  @Get(':env')
  @Describe('Reads an environment')
  @RequireRole('viewer', { environment: 'env' })
  async find(@ZodParam('env', name) environment: string): Promise<ListedEnvironment | Rejection> {
    return (await this.#environments.find(environment)) ?? environmentUnknown(environment);
  }

  @Put(':env')
  @Describe('Makes an environment, or describes it anew', 'There is no way to take it away.')
  @RequireRole('admin', { environment: 'env' })
  async put(
    @ZodParam('env', name) environment: string,
    @ZodBody(environmentBody) { description }: z.output<typeof environmentBody>,
    @Who() caller: Caller,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const data = { environment, ...(description === undefined ? {} : { description }) };
    const command = commandFrom(this.#context, PutEnvironment, data, caller, request);
    const outcome = await this.#environments.put(command);
    return answer(reply, outcome, {
      ...data,
      version: outcome.version,
      epoch: outcome.epoch,
      changed: outcome.answer.outcome === 'changed',
      published: outcome.published,
    });
  }
}
